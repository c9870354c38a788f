import { expect, it } from '@jest/globals';
import type { Backend, LiveBackend } from '../support/backends.js';
import { CLUSTER } from '../support/backends.js';
import type { TestGateway } from '../support/gateway.js';

export interface Subject {
  readonly backend: Backend;
  readonly gateway: () => TestGateway;
  readonly live: () => LiveBackend;
}

const USERS = `/clusters/${CLUSTER}/users`;

const namesOf = (body: { items: { username: string }[] }): string[] => body.items.map(({ username }) => username);

/** What every adapter owes to a reader. */
export const reading = ({ backend, gateway }: Subject): void => {
  const { seeded, vendorPage, knowsTotal } = backend;
  const total = seeded.length;

  it('lists the cluster with its state and capabilities', async () => {
    const { body } = await gateway().get('/clusters');
    expect(body.problems).toEqual([]);
    expect(body.items).toHaveLength(1);
    expect(body.items[0]).toMatchObject({ id: CLUSTER, vendor: backend.vendor, state: 'ready', discovered: false });
    // Every call changes how it does.
    const { health: _, budget: __, ...cluster } = body.items[0];
    expect((await gateway().get(`/clusters/${CLUSTER}`)).body).toMatchObject(cluster);
    expect(body.items[0].capabilities.roles).toEqual(backend.gives);
  });

  const windows = [
    [0, 1],
    [0, 50],
    [37, 25],
    [vendorPage - 1, 2],
    [vendorPage, vendorPage],
    [vendorPage * 2 - 1, vendorPage],
    [total - 1, 1],
    [total - 1, 50],
    [total, 50],
    [total + 400, 50],
    [0, 1000],
    [3, 999],
  ] as const;
  it.each(windows)('gives the window at offset %i of limit %i', async (offset, limit) => {
    const { status, body } = await gateway().get(`${USERS}?offset=${offset}&limit=${limit}`);
    expect(status).toBe(200);
    expect(namesOf(body)).toEqual(seeded.slice(offset, offset + limit));
    if (knowsTotal) expect(body.total).toBe(total);
    // Without a total, a full window at the very end cannot be known to be the last.
    if (knowsTotal || offset + limit !== total) expect(body.nextCursor === null).toBe(offset + limit >= total);
  });

  it('gives 50 users by default', async () => {
    expect(namesOf((await gateway().get(USERS)).body)).toEqual(seeded.slice(0, 50));
  });

  it.each([1 + Math.floor(total / 3), 49, 101])(
    'walks by cursor in steps of %i and meets every user exactly once',
    async (limit) => {
      const met: string[] = [];
      let path: string | null = `${USERS}?limit=${limit}`;
      for (let step = 0; path !== null && step < 20; step++) {
        const { body, headers }: Awaited<ReturnType<TestGateway['get']>> = await gateway().get(path);
        met.push(...namesOf(body));
        const link = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1] ?? null;
        expect(link === null).toBe(body.nextCursor === null);
        path = link;
      }
      expect(met).toEqual(seeded);
    },
  );

  it('finds by a part of the name, whatever the case, and pages through what it found', async () => {
    const part = '01';
    const expected = seeded.filter((name) => name.includes(part));
    const { body } = await gateway().get(`${USERS}?search=${part}&limit=1000`);
    expect(namesOf(body)).toEqual(expected);
    expect(body.total).toBe(expected.length);

    const first = (await gateway().get(`${USERS}?search=${part}&limit=7`)).body;
    const second = (await gateway().get(`${USERS}?search=${part}&limit=7&cursor=${first.nextCursor}`)).body;
    expect([...namesOf(first), ...namesOf(second)]).toEqual(expected.slice(0, 14));
    expect(namesOf((await gateway().get(`${USERS}?search=U&limit=1`)).body)).toEqual(seeded.slice(0, 1));
    expect((await gateway().get(`${USERS}?search=zzzz`)).body).toEqual({
      items: [],
      total: 0,
      nextCursor: null,
      incomplete: null,
    });
  });

  it('filters by role', async () => {
    const all = (await gateway().get(`${USERS}?limit=1000`)).body.items as { username: string; role: string }[];
    for (const role of ['member', 'admin', 'owner']) {
      const expected = all.filter((user) => user.role === role).map(({ username }) => username);
      expect(namesOf((await gateway().get(`${USERS}?role=${role}&limit=1000`)).body)).toEqual(expected);
    }
  });

  it.each([0, Math.floor(total / 2), total - 1])('gets user %i, the last page included', async (index) => {
    const { status, body } = await gateway().get(`${USERS}/${seeded[index]}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ clusterId: CLUSTER, username: seeded[index], vendor: { name: backend.vendor } });
  });

  it('shows the vendor’s own fields on request only', async () => {
    const path = `${USERS}/${seeded[3]}`;
    expect((await gateway().get(path)).body.vendor.attributes).toBeUndefined();
    expect(Object.keys((await gateway().get(`${path}?include=vendor`)).body.vendor.attributes).length).toBeGreaterThan(0);
    expect((await gateway().get(`${USERS}?limit=1&include=vendor`)).body.items[0].vendor.attributes).toBeDefined();
  });

  it('answers 404 for an unknown user, a part of a name included', async () => {
    for (const name of ['nobody', seeded[3]?.slice(0, -1), seeded[3]?.toUpperCase()]) {
      const { status, body } = await gateway().get(`${USERS}/${name}`);
      expect([status, body.code]).toEqual([404, 'user_not_found']);
    }
  });

  it('refuses a cursor of another list, and text that is no cursor', async () => {
    const { nextCursor } = (await gateway().get(`${USERS}?limit=5`)).body;
    const made = Buffer.from(JSON.stringify({ o: 5 })).toString('base64url');
    for (const query of [
      `cursor=${made}`,
      `cursor=${nextCursor}A`,
      `cursor=A${nextCursor}`,
      `cursor=${nextCursor}&role=admin`,
      `cursor=${nextCursor}&search=a`,
      'cursor=abc',
      `cursor=${nextCursor}&offset=3`,
    ]) {
      const { status, body } = await gateway().get(`${USERS}?${query}`);
      expect([query, status, body.code]).toEqual([query, 400, 'invalid_request']);
      expect(body.errors[0].pointer).toBe('/query/cursor');
    }
  });
};
