import { type Reply, type Secrets, withJsonField } from '../kit/index.js';
import { readEntries } from './entries.js';
import { escapeXml } from './replies.js';
import { type EhpcCall, headerOf } from './urls.js';

const AUTHORIZATION = /Credential=([^,]*).*Signature=(\S+)/;

const given = (secrets: Readonly<Record<string, string | undefined>>): Secrets =>
  Object.fromEntries(Object.entries(secrets).filter(([, value]) => value !== undefined && value !== ''));

/** Of several passwords the first. */
export const secretsOf = ({ scheme, request, values }: EhpcCall): Secrets => {
  const password = readEntries(values).find((entry) => entry.password)?.password;
  if (scheme === 'rpc-v1')
    return given({
      password,
      accessKeyId: values.get('AccessKeyId'),
      signature: values.get('Signature'),
      securityToken: values.get('SecurityToken'),
    });
  const [, accessKeyId, signature] = AUTHORIZATION.exec(headerOf(request, 'authorization')) ?? [];
  return given({ password, accessKeyId, signature, securityToken: headerOf(request, 'x-acs-security-token') });
};

const withXmlField = (body: string, field: string, text: string): string => {
  const element = `<${field}>${escapeXml(text)}</${field}>`;
  const known = new RegExp(`<${field}>[^<]*</${field}>`, 'g');
  if (body.search(known) >= 0) return body.replace(known, () => element);
  const end = body.lastIndexOf('</');
  return `${body.slice(0, end)}${element}${body.slice(end)}`;
};

export const withField = (reply: Reply, field: string, text: string): Reply => {
  const change = reply.contentType.includes('xml') ? withXmlField : withJsonField;
  return { ...reply, body: change(reply.body, field, text) };
};
