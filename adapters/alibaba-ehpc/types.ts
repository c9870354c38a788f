/** Wire shapes as Alibaba Cloud spells them, only what is read. Everything is optional: the documents contradict each other. */
import type { Secret } from '../../src/secret.js';

/** https://help.aliyun.com/zh/e-hpc/e-hpc-1-0/developer-reference/api-ehpc-2018-04-12-listusersasync */
export interface UserInfo {
  readonly Name?: unknown;
  readonly Group?: unknown;
  /** ListUsersAsync only; text or number. */
  readonly UserId?: unknown;
  /** ListUsersAsync only; text or number. */
  readonly GroupId?: unknown;
  readonly AddTime?: unknown;
}

/** http://help.aliyun.com/document_detail/87116.htm */
export interface ClusterInfoSimple {
  readonly Id?: unknown;
  readonly Name?: unknown;
  readonly Status?: unknown;
  readonly RegionId?: unknown;
  readonly ZoneId?: unknown;
  readonly CreateTime?: unknown;
}

export interface WritableUser {
  readonly Name: string;
  readonly Group?: 'users' | 'wheel';
  readonly Password?: Secret;
}
