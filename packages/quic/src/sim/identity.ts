/**
 * A fixed identity for simulated servers, for `server.test` and 192.0.2.1, valid until 2079. Ed25519, because its signatures
 * are the same for the same input: a run from a seed stays the same run. The key protects nothing.
 */
export const SERVER_CERT = `-----BEGIN CERTIFICATE-----
MIIBizCCAT2gAwIBAgIQb195s7WQnnTYt1sfwn1tijAFBgMrZXAwFjEUMBIGA1UE
AwwLc2VydmVyLnRlc3QwIBcNMjUwMTAxMDAwMDAwWhgPMjA3OTEwMDUwMDAwMDBa
MBYxFDASBgNVBAMMC3NlcnZlci50ZXN0MCowBQYDK2VwAyEAb8vLSlN2woLytqjw
XDqdjPjENXPLHnNnTNV9FkGzQFyjgZ4wgZswDAYDVR0TAQH/BAIwADAOBgNVHQ8B
Af8EBAMCB4AwHQYDVR0OBBYEFC6IJ2QN7QP9SOufboDf/AZoQqa+MB8GA1UdIwQY
MBaAFC6IJ2QN7QP9SOufboDf/AZoQqa+MB0GA1UdJQQWMBQGCCsGAQUFBwMBBggr
BgEFBQcDAjAcBgNVHREEFTATggtzZXJ2ZXIudGVzdIcEwAACATAFBgMrZXADQQDv
iAo3Be7ZQMW8SOD9zMirOo/ZR4yrZZ1PqXHYyPP7zOGax4xnNRq+2GHo6E9sx2bA
2algvrpW9ayC+pdtA7UC
-----END CERTIFICATE-----
`;

export const SERVER_KEY = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIOZ84Py0Xy4aBT8DBNGwNYiXx1wmJpNO8gogrPk8tEF+
-----END PRIVATE KEY-----
`;

/** The SHA-256 of the certificate's SubjectPublicKeyInfo. */
export const SERVER_PIN = 'eaf6626b8d01e978ccc7d58e299f7beb76deb3bdc07af4602220a085996c6f83';
