import { createHash } from 'node:crypto';
import type { VendorUser } from '../adapter.js';
import type { Target } from '../clusters/registry.js';
import type { User } from '../model.js';

/** A vendor's user in the model, with the vendor's attributes. */
export const toUser = (target: Target, { userId, attributes, isRoleUnknown: _, ...user }: VendorUser): User => ({
  clusterId: target.id,
  ...user,
  vendor: { name: target.account.module.vendor, userId, attributes: { ...attributes } },
});

/** An entity tag (RFC 9110) for the state of a user in the model; the vendor's own attributes do not count. */
export const entityTag = ({ vendor: { name, userId }, ...user }: User): string => {
  const fields = Object.entries({ ...user, vendorName: name, userId }).sort(([a], [b]) => (a < b ? -1 : 1));
  return `"${createHash('sha256').update(JSON.stringify(fields)).digest('base64url').slice(0, 16)}"`;
};

/** Whether the user is as the `If-Match` field says (RFC 9110, section 13.1.1); a weak tag never is. */
export const matches = (ifMatch: string, user: User): boolean =>
  ifMatch.trim() === '*' || [...ifMatch.matchAll(/(?:W\/)?"[^"]*"/g)].some(([tag]) => tag === entityTag(user));
