/**
 * A certificate authority and a server certificate for one run. quinn refuses a server certificate that is an authority
 * itself, so one self-signed certificate would not do.
 */
import { randomBytes, webcrypto } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Integer, OctetString, Utf8String } from 'asn1js';
import {
  AltName,
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  CryptoEngine,
  Extension,
  ExtKeyUsage,
  GeneralName,
  setEngine,
  Time,
} from 'pkijs';

/** Paths of the PEM files in the run's folder. */
export interface CertificateFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const commonNameOid = '2.5.4.3';
const oids = { basicConstraints: '2.5.29.19', extKeyUsage: '2.5.29.37', altName: '2.5.29.17' };
const serverAuthOid = '1.3.6.1.5.5.7.3.1';
const dnsName = 2;
const ipAddress = 7;
const day = 24 * 60 * 60 * 1000;

type KeyPair = webcrypto.CryptoKeyPair;

function newKeyPair(): Promise<KeyPair> {
  return webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
}

function extension(extnID: string, critical: boolean, value: { toBER(): ArrayBuffer }): Extension {
  return new Extension({ extnID, critical, extnValue: value.toBER(), parsedValue: value });
}

async function issue(subject: string, issuer: string, keys: KeyPair, issuerKeys: KeyPair, extensions: Extension[]) {
  const certificate = new Certificate();
  certificate.version = 2; // X.509 v3
  certificate.serialNumber = new Integer({ valueHex: Uint8Array.of(1, ...randomBytes(8)).buffer });
  const name = (value: string) => new AttributeTypeAndValue({ type: commonNameOid, value: new Utf8String({ value }) });
  certificate.subject.typesAndValues.push(name(subject));
  certificate.issuer.typesAndValues.push(name(issuer));
  certificate.notBefore = new Time({ type: 0, value: new Date(Date.now() - day) });
  certificate.notAfter = new Time({ type: 0, value: new Date(Date.now() + 2 * day) });
  certificate.extensions = extensions;
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);
  await certificate.sign(issuerKeys.privateKey, 'SHA-256');
  return pem('CERTIFICATE', certificate.toSchema().toBER());
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** Makes both, for `localhost` and 127.0.0.1, and writes them into `folder`. */
export async function makeCertificates(folder: string): Promise<CertificateFiles> {
  setEngine('node', new CryptoEngine({ name: 'node', crypto: webcrypto }));
  const [authority, server] = await Promise.all([newKeyPair(), newKeyPair()]);
  const ca = await issue('weir interop authority', 'weir interop authority', authority, authority, [
    extension(oids.basicConstraints, true, new BasicConstraints({ cA: true }).toSchema()),
  ]);
  const names = new AltName({
    altNames: [
      new GeneralName({ type: dnsName, value: 'localhost' }),
      new GeneralName({ type: ipAddress, value: new OctetString({ valueHex: Uint8Array.of(127, 0, 0, 1).buffer }) }),
    ],
  });
  const cert = await issue('localhost', 'weir interop authority', server, authority, [
    extension(oids.extKeyUsage, false, new ExtKeyUsage({ keyPurposes: [serverAuthOid] }).toSchema()),
    extension(oids.altName, false, names.toSchema()),
  ]);
  const key = pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', server.privateKey));
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await Promise.all([writeFile(files.ca, ca), writeFile(files.cert, cert), writeFile(files.key, key, { mode: 0o600 })]);
  return files;
}
