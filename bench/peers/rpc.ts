/** The signature of Alibaba's RPC style, version 1.0, written plainly: what a service without a gateway would have. */
import { createHmac, randomUUID } from 'node:crypto';
import { CLUSTER, KEY, VERSION } from './vendor-key.js';

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

export const signedUrl = (endpoint: string, page: number, size: number): string => {
  const params: Record<string, string> = {
    Action: 'ListUsers',
    Version: VERSION,
    Format: 'JSON',
    AccessKeyId: KEY.accessKeyId,
    SignatureMethod: 'HMAC-SHA1',
    SignatureVersion: '1.0',
    SignatureNonce: randomUUID(),
    Timestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    ClusterId: CLUSTER,
    PageNumber: String(page),
    PageSize: String(size),
  };
  const query = Object.keys(params)
    .sort()
    .map((name) => `${encode(name)}=${encode(params[name] as string)}`)
    .join('&');
  const signature = createHmac('sha1', `${KEY.accessKeySecret}&`)
    .update(`GET&${encode('/')}&${encode(query)}`)
    .digest('base64');
  return `${endpoint}/?${query}&Signature=${encode(signature)}`;
};

export interface VendorPage {
  readonly TotalCount: number;
  readonly Users: { readonly UserInfo: readonly { readonly Name: string; readonly Group: string; readonly AddTime?: string }[] };
}

/** As the gateway answers. */
export const toPage = ({ TotalCount: total, Users: { UserInfo: users } }: VendorPage) => ({
  items: users.map(({ Name: username, Group: group, AddTime: addedAt }) => ({
    clusterId: 'c',
    username,
    role: group === 'wheel' ? 'admin' : 'member',
    group,
    uid: null,
    gid: null,
    mountPoint: null,
    createdAt: addedAt ? new Date(addedAt).toISOString() : null,
    updatedAt: null,
    vendor: { name: 'alibaba-ehpc', userId: null },
  })),
  total,
  nextCursor: null,
  incomplete: null,
});
