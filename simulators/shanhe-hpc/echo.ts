import { type Reply, type Secrets, withJsonField } from '../kit/index.js';
import type { ShanheCall } from './urls.js';

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** The signature travels encoded twice (3.5); this is what both encodings hold. The vendor has no tokens. */
export const secretsOf = ({ query, body }: ShanheCall): Secrets => {
  const password = body?.['password'] ?? body?.['new_password'];
  const accessKeyId = query.get('access_key_id');
  const signature = query.get('signature');
  return {
    ...(typeof password === 'string' && password !== '' && { password }),
    ...(accessKeyId && { accessKeyId }),
    ...(signature && { signature: decoded(signature) }),
  };
};

export const withField = (reply: Reply, field: string, text: string): Reply => ({
  ...reply,
  body: withJsonField(reply.body, field, text),
});
