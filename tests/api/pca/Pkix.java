import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;

/** For each folder under the one given: its name, a tab, and "" or why PKIX refuses certificate.pem under root.pem. */
public final class Pkix {
    public static void main(String[] arguments) throws Exception {
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(Path.of(arguments[0]))) {
            for (Path folder : folders) {
                System.out.println(folder.getFileName() + "\t" + judge(folder));
            }
        }
    }

    private static String judge(Path folder) {
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            X509Certificate root = read(factory, folder.resolve("root.pem"));
            X509Certificate own = read(factory, folder.resolve("certificate.pem"));
            own.verify(root.getPublicKey());
            PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
            parameters.setRevocationEnabled(false);
            List<X509Certificate> path = own.equals(root) ? List.of() : List.of(own);
            CertPathValidator.getInstance("PKIX").validate(factory.generateCertPath(path), parameters);
            return "";
        } catch (Exception refused) {
            return String.valueOf(refused).replace('\n', ' ');
        }
    }

    private static X509Certificate read(CertificateFactory factory, Path path) throws Exception {
        try (InputStream stream = Files.newInputStream(path)) {
            return (X509Certificate) factory.generateCertificate(stream);
        }
    }
}
