/** A self-signed certificate, made by each run: no key is kept in the repository. */
import { createSign, generateKeyPairSync } from 'node:crypto';

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const utcTime = (date: Date): Buffer => der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const NAME = sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from('localhost')))));
const DAY_MS = 86_400_000;

/** A name that is an IPv4 address. */
const alternative = (address: string): Buffer[] => {
  const names = sequence(der(0x87, Buffer.from(address.split('.').map(Number))));
  return [der(0xa3, sequence(sequence(oid('551d11'), der(0x04, names))))];
};

/** Key and certificate in PEM, for `localhost` or an IPv4 address, valid from yesterday to tomorrow. */
export const selfSigned = (address?: string): { readonly key: string; readonly cert: string } => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const validity = sequence(utcTime(new Date(Date.now() - DAY_MS)), utcTime(new Date(Date.now() + DAY_MS)));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const version = address === undefined ? [] : [der(0xa0, der(0x02, Buffer.from([2])))];
  const names = address === undefined ? [] : alternative(address);
  const serial = der(0x02, Buffer.from([1]));
  const toBeSigned = sequence(...version, serial, ECDSA_WITH_SHA256, NAME, validity, NAME, spki, ...names);
  const signature = createSign('sha256').update(toBeSigned).sign(privateKey);
  const certificate = sequence(toBeSigned, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  };
};
