import { sameText } from '../kit/random.js';
import { acs3CanonicalRequest, acs3Signature, acs3StringToSign, rpcSignature, rpcStringToSign, sha256Hex } from './canonical.js';
import { refuse } from './errors.js';
import { type EhpcCall, headerOf } from './urls.js';

export interface Keyring {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string | undefined;
}

/** What a call claims about itself, wherever its style puts it. */
interface Claim {
  readonly accessKeyId: string;
  readonly securityToken: string;
  readonly time: string;
  readonly nonce: string;
  readonly signature: string;
  readonly signedHeaders: readonly string[];
}

const AUTHORIZATION = /^ACS3-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
const MANDATORY_HEADERS = ['x-acs-date', 'x-acs-signature-nonce', 'x-acs-content-sha256'];
const MANDATORY_PARAMETERS = ['AccessKeyId', 'SignatureMethod', 'SignatureVersion', 'SignatureNonce', 'Signature'];
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

const claimAcs3 = (call: EhpcCall): Claim => {
  const { request } = call;
  const match = AUTHORIZATION.exec(headerOf(request, 'authorization'));
  if (match === null) return refuse('IncompleteSignature', 'ACS3-HMAC-SHA256');
  if (headerOf(request, 'x-acs-date') === '') refuse('IllegalTimestamp');
  for (const name of MANDATORY_HEADERS) if (headerOf(request, name) === '') refuse('MissingParameter', name);
  const [, accessKeyId = '', signedHeaders = '', signature = ''] = match;
  return {
    accessKeyId,
    securityToken: headerOf(request, 'x-acs-security-token'),
    time: headerOf(request, 'x-acs-date'),
    nonce: headerOf(request, 'x-acs-signature-nonce'),
    signature,
    signedHeaders: signedHeaders.split(';'),
  };
};

const claimRpc = (call: EhpcCall): Claim => {
  const value = (name: string) => call.values.get(name) ?? '';
  const missing = MANDATORY_PARAMETERS.find((name) => value(name) === '');
  if (missing !== undefined) refuse(`Missing${missing}`);
  if (value('Timestamp') === '') refuse('IllegalTimestamp');
  if (!['', 'JSON', 'XML'].includes(value('Format').toUpperCase())) refuse('InvalidParameter.Format');
  if (value('SignatureMethod') !== 'HMAC-SHA1') refuse('InvalidSignatureMethod');
  if (value('SignatureVersion') !== '1.0') refuse('InvalidSignatureVersion');
  return {
    accessKeyId: value('AccessKeyId'),
    securityToken: value('SecurityToken'),
    time: value('Timestamp'),
    nonce: value('SignatureNonce'),
    signature: value('Signature'),
    signedHeaders: [],
  };
};

const checkTime = (time: string, now: Date, windowMinutes: number) => {
  const at = TIME.test(time) ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(at)) refuse('InvalidTimeStamp.Format');
  if (Math.abs(now.getTime() - at) > windowMinutes * 60_000) refuse('InvalidTimeStamp.Expired');
};

/** 2b: these must be under the signature if they were sent; an unsigned one could be changed on the way. */
const mustBeSigned = (call: EhpcCall): string[] => {
  const sent = ['x-acs-action', 'x-acs-version', ...MANDATORY_HEADERS, 'x-acs-security-token'];
  const names = ['host', ...sent.filter((name) => headerOf(call.request, name) !== '')];
  return call.request.body.length > 0 ? [...names, 'content-type'] : names;
};

const checkAcs3 = (call: EhpcCall, claim: Claim, secret: string) => {
  const { request, query } = call;
  const bodyHash = sha256Hex(request.body);
  const parts = {
    method: request.method,
    path: request.path,
    query,
    headers: request.headers,
    signedHeaders: claim.signedHeaders,
    bodyHash,
  };
  const stringToSign = acs3StringToSign(acs3CanonicalRequest(parts));
  if (mustBeSigned(call).some((name) => !claim.signedHeaders.includes(name))) refuse('IncompleteSignature', stringToSign);
  const honest = headerOf(request, 'x-acs-content-sha256') === bodyHash;
  if (honest && sameText(claim.signature, acs3Signature(secret, stringToSign))) return;
  refuse('SignatureDoesNotMatch', `Specified signature does not match our calculation. server StringToSign is [${stringToSign}]`);
};

const checkRpc = (call: EhpcCall, claim: Claim, secret: string) => {
  const stringToSign = rpcStringToSign(call.request.method, call.pairs);
  if (!/^[A-Za-z0-9+/]{27}=$/.test(claim.signature)) refuse('IncompleteSignature', stringToSign);
  if (sameText(claim.signature, rpcSignature(secret, stringToSign))) return;
  // Repeats all that was signed, passwords included, just as the vendor does (6c).
  refuse(
    'SignatureDoesNotMatch',
    `Specified signature is not matched with our calculation. server string to sign is:${stringToSign}`,
  );
};

/** Key, token, time and signature of one call, in the order of section 11.2; throws a Refusal, returns the nonce. */
export const verifyCall = (call: EhpcCall, keyring: Keyring, now: Date, windowMinutes = 15): string => {
  const claim = call.scheme === 'acs3' ? claimAcs3(call) : claimRpc(call);
  if (!sameText(claim.accessKeyId, keyring.accessKeyId)) refuse('InvalidAccessKeyId.NotFound');
  if (keyring.securityToken !== undefined && claim.securityToken === '') refuse('MissingSecurityToken');
  if (!sameText(claim.securityToken, keyring.securityToken ?? '')) refuse('InvalidSecurityToken.Malformed');
  checkTime(claim.time, now, windowMinutes);
  (call.scheme === 'acs3' ? checkAcs3 : checkRpc)(call, claim, keyring.accessKeySecret);
  return claim.nonce;
};

const NONCE_MS = 31 * 60_000;

/** 9.22: a nonce may not come back for 31 minutes. */
export const createNonceMemory = () => {
  const seen = new Map<string, number>();
  return (nonce: string, now: Date) => {
    const at = now.getTime();
    for (const [old, until] of seen) {
      if (until > at) break;
      seen.delete(old);
    }
    if ((seen.get(nonce) ?? 0) > at) refuse('SignatureNonceUsed');
    seen.set(nonce, at + NONCE_MS);
  };
};
