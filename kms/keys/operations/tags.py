"""TagResource, UntagResource, ListResourceTags."""

from foundation.wire import Params
from kms.keys.found import Question
from kms.keys.operations.registry import operations, the_key
from kms.keys.pages import answer, judge_limit
from kms.keys.service import KeyService
from kms.keys.tags import judge_tags

ANY_NUMBER = 10_000
"""The quota is judged with the key's own tags; here only the tags' form is."""


def _judge(params: Params) -> dict[str, str]:
    return judge_tags(params["Tags"], limit=ANY_NUMBER)


def _brought(params: Params) -> Question:
    return Question(request_tags=_judge(params))


def _named(params: Params) -> Question:
    return Question({"aws:tagkeys": tuple(params["TagKeys"])})


@operations.operation("TagResource", on=the_key("TagResource", _judge, asked=_brought))
def tag_resource(keys: KeyService, params: Params) -> Params:
    keys.tags.add(params["KeyId"], params["Tags"])
    return {}


@operations.operation("UntagResource", on=the_key("UntagResource", asked=_named))
def untag_resource(keys: KeyService, params: Params) -> Params:
    keys.tags.remove(params["KeyId"], params["TagKeys"])
    return {}


def _limit(params: Params) -> int:
    return judge_limit("ListResourceTags", params.get("Limit"))


@operations.operation("ListResourceTags", on=the_key("ListResourceTags", _limit))
def list_resource_tags(keys: KeyService, params: Params) -> Params:
    page = keys.listing.tags(params["KeyId"], limit=_limit(params), marker=params.get("Marker"))
    entries = [{"TagKey": key, "TagValue": value} for key, value in page.items]
    return answer("Tags", entries, page.next_token)
