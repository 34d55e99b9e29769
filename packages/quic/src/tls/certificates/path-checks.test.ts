import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import * as pkijs from 'pkijs';
import { certify, makeKey, TEST_TIME } from '../../../test/support/tls-loopback.ts';
import { TlsAlert } from '../session.ts';
import { checkPath } from './path-checks.ts';

const rootKey = makeKey('P-256');
const root = certify(rootKey, { commonName: 'Root', authority: {} });
const leaf = certify(makeKey('P-256'), { commonName: 'leaf' }, { commonName: 'Root', privateKey: rootKey });
const PATH = [new X509Certificate(leaf), new X509Certificate(root)];

/** The alert for the path from the leaf to the root when their parsed forms are changed; -1 when it is accepted. */
function alertFor(change: (leaf: pkijs.Certificate, root: pkijs.Certificate) => void): number {
  const parsed = PATH.map(({ raw }) => pkijs.Certificate.fromBER(raw));
  change(parsed[0]!, parsed[1]!);
  const verdict = checkPath(PATH, parsed, TEST_TIME, 'server');
  return verdict.ok ? -1 : verdict.alert;
}

test('MD5 and SHA-1 are refused in what must be validated, not in the trusted certificate (RFC 9846 §4.5.1.4)', () => {
  assert.equal(
    alertFor(() => {}),
    -1,
  );
  for (const algorithm of ['1.2.840.113549.1.1.4', '1.2.840.113549.1.1.5', '1.2.840.10045.4.1']) {
    const sign = (certificate: pkijs.Certificate) => {
      certificate.signatureAlgorithm.algorithmId = algorithm;
    };
    assert.equal(
      alertFor((certificate) => sign(certificate)),
      TlsAlert.BAD_CERTIFICATE,
      algorithm,
    );
    assert.equal(
      alertFor((_, trusted) => sign(trusted)),
      -1,
      algorithm,
    );
  }
});

test('an unknown extension of the leaf is passed over unless it is critical (RFC 5280 §4.2)', () => {
  const adding = (critical: boolean) => (certificate: pkijs.Certificate) => {
    const extension = new pkijs.Extension({ extnID: '1.3.6.1.4.1.55555.1', critical });
    certificate.extensions = [...(certificate.extensions ?? []), extension];
  };
  assert.equal(alertFor(adding(false)), -1);
  assert.equal(alertFor(adding(true)), TlsAlert.UNSUPPORTED_CERTIFICATE);
});
