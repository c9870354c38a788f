import type { VendorUser } from '../../src/adapter.js';

/** A user of whom only the name matters. */
export const vendorUser = (username: string): VendorUser => ({
  username,
  role: 'member',
  group: null,
  uid: null,
  gid: null,
  mountPoint: null,
  createdAt: null,
  updatedAt: null,
  userId: null,
  attributes: {},
});
