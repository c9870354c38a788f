/** How plans are drawn. Small things come first, so that what fails shrinks to few commands and faults. */
import fc from 'fast-check';
import type { Fault } from '../../simulators/kit/index.js';
import type { Command, IfMatch, Item, Plan, Request, Role, Secret, Setup, VendorName, Who } from './plan.js';
import { NAMES, OWN } from './plan.js';

/** Longer than one command. */
const LASTING = 1_000;

const one = <Value>(...values: readonly Value[]): fc.Arbitrary<Value> => fc.constantFrom(...values);

/** @param names of the pool to draw from: the fewer, the more writes meet */
const who = (names: number): fc.Arbitrary<Who> =>
  fc.oneof({ weight: 30, arbitrary: fc.nat({ max: names - 1 }) }, { weight: 1, arbitrary: fc.constant<Who>('bad') });
const role = (): fc.Arbitrary<Role> => one<Role>('member', 'admin');
const secret = (): fc.Arbitrary<Secret> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant<Secret>('good') }, { weight: 1, arbitrary: fc.constant<Secret>('picky') });

const create = (vendor: VendorName, names: number): fc.Arbitrary<Item> =>
  vendor === 'alibaba-ehpc'
    ? fc.record({ op: fc.constant('create' as const), who: who(names), role: role(), secret: secret() })
    : fc.record({ op: fc.constant('create' as const), who: who(names), secret: secret() });
const remove = (names: number): fc.Arbitrary<Item> => fc.record({ op: fc.constant('delete' as const), who: who(names) });
const setPassword = (names: number): fc.Arbitrary<Item> =>
  fc.record({ op: fc.constant('update' as const), who: who(names), secret: secret() });
const setRole = (names: number): fc.Arbitrary<Item> =>
  fc.record({ op: fc.constant('update' as const), who: who(names), role: role() });
/** Shanhe has no roles to give. */
const ensure = (vendor: VendorName, names: number): fc.Arbitrary<Item> =>
  fc
    .record({
      who: who(names),
      role: fc.option(role(), { nil: undefined, freq: vendor === 'alibaba-ehpc' ? 3 : 1 }),
      secret: fc.option(secret(), { nil: undefined, freq: 5 }),
    })
    .map(
      ({ who: drawn, ...given }): Item => ({
        op: 'ensure',
        who: drawn,
        ...(given.role && { role: given.role }),
        ...(given.secret && { secret: given.secret }),
      }),
    );
const setBoth = (names: number): fc.Arbitrary<Item> =>
  fc.record({ op: fc.constant('update' as const), who: who(names), role: role(), secret: secret() });

const single = (vendor: VendorName, names: number): fc.Arbitrary<Request> => {
  const conditional = fc.option(one<IfMatch>('current', 'stale', 'any'), { nil: undefined, freq: 3 });
  const plain = create(vendor, names).map((item): Request => ({ kind: 'single', item }));
  const changing = fc
    .tuple(
      fc.oneof(
        { weight: 4, arbitrary: remove(names) },
        { weight: 2, arbitrary: setPassword(names) },
        // Shanhe has no roles to set.
        { weight: vendor === 'alibaba-ehpc' ? 2 : 1, arbitrary: setRole(names) },
        { weight: 3, arbitrary: ensure(vendor, names) },
      ),
      conditional,
    )
    .map(([item, ifMatch]): Request => ({ kind: 'single', item, ...(ifMatch && { ifMatch }) }));
  return fc.oneof({ weight: 1, arbitrary: plain }, { weight: 1, arbitrary: changing });
};

const batch = (vendor: VendorName, names: number, maxLength: number): fc.Arbitrary<Request> => {
  const item = fc.oneof(
    { weight: 5, arbitrary: create(vendor, names) },
    { weight: 3, arbitrary: remove(names) },
    { weight: 1, arbitrary: setPassword(names) },
    { weight: 1, arbitrary: setRole(names) },
    { weight: 1, arbitrary: setBoth(names) },
    { weight: 2, arbitrary: ensure(vendor, names) },
  );
  // Most batches are of one kind of write: only those go in one call.
  const items = fc.oneof(
    fc.array(item, { minLength: 1, maxLength }),
    fc.array(create(vendor, names), { minLength: 1, maxLength }),
    fc.array(remove(names), { minLength: 1, maxLength }),
    fc.array(ensure(vendor, names), { minLength: 1, maxLength }),
  );
  const stopOnError = fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true));
  return fc.record({ kind: fc.constant('batch' as const), items, stopOnError });
};

const request = (vendor: VendorName, names: number, maxLength: number): fc.Arbitrary<Request> =>
  fc.oneof(single(vendor, names), batch(vendor, names, maxLength));

const WRITES: Readonly<Record<VendorName, readonly string[]>> = {
  'alibaba-ehpc': ['AddUsers', 'AddUsers', 'DeleteUsers', 'ModifyUserGroups', 'ModifyUserPasswords'],
  'shanhe-hpc': ['/user/addUser', '/user/addUser', '/user/deleteUser', '/user/modifyUser'],
};
const BUSY: Readonly<Record<VendorName, readonly string[]>> = {
  'alibaba-ehpc': ['ServiceUnavailable', 'InternalError', 'AgentError', 'Throttling.User', 'UnknownError'],
  'shanhe-hpc': ['5100', '5300', '5000', '2500'],
};
/** Codes of a vendor that may have done something all the same. */
const FAILED: Readonly<Record<VendorName, readonly string[]>> = {
  'alibaba-ehpc': ['ServiceUnavailable', 'InternalError', 'AgentError', 'UnknownError'],
  'shanhe-hpc': ['5100', '5300', '5000'],
};

const listActions = ({ vendor, listing }: Pick<Setup, 'vendor' | 'listing'>): string =>
  vendor === 'shanhe-hpc' ? '/user' : listing === 'async' ? 'ListUsersAsync' : 'ListUsers';

const many = (most: number) => fc.record({ skip: one(0, 0, 0, 1, 2), times: fc.integer({ min: 1, max: most }) });

const outage = (vendor: VendorName): fc.Arbitrary<Fault> =>
  fc.oneof(
    fc.constant<Fault>({ kind: 'reset_before' }),
    one(...BUSY[vendor]).map((code): Fault => ({ kind: 'vendor_error', code })),
    one(503, 500, 502).map((status): Fault => ({ kind: 'http_status', status })),
    fc.constant<Fault>({ kind: 'html' }),
    fc.constant<Fault>({ kind: 'throttle', retryAfterSeconds: 1 }),
  );

const writeFault = (vendor: VendorName): fc.Arbitrary<Fault> => {
  const answers = fc.oneof(
    fc.constant<Fault>({ kind: 'reset_after' }),
    one(...FAILED[vendor]).map((code): Fault => ({ kind: 'error_after', code })),
    fc.constant<Fault>({ kind: 'cut_json' }),
    fc.constant<Fault>({ kind: 'wrong_shape', shape: 'array' }),
    fc.integer({ min: 0, max: 30 }).map((delayMs): Fault => ({ kind: 'late_effect', delayMs })),
    fc.integer({ min: 0, max: 30 }).map((delayMs): Fault => ({ kind: 'delay', delayMs })),
    fc.constant<Fault>({ kind: 'drip', delayMs: 1 }),
  );
  // A call is given up after a minute, which takes long even on a fast clock.
  const silence = one<Fault>({ kind: 'hang' }, { kind: 'hang_after' });
  const own =
    vendor === 'alibaba-ehpc'
      ? fc.constant<Fault>({ kind: 'half_batch' })
      : one<Fault>({ kind: 'job_fails' }, { kind: 'job_fails_after' }, { kind: 'job_unlisted' });
  const fault = fc.oneof(
    { weight: 6, arbitrary: answers },
    { weight: 3, arbitrary: outage(vendor) },
    { weight: 3, arbitrary: own },
  );
  const placed = fc
    .tuple(fault, one(OWN, OWN, OWN, ...WRITES[vendor]), many(3))
    .map(([drawn, action, where]): Fault => ({ ...drawn, action, ...where }));
  return fc.oneof(
    { weight: 40, arbitrary: placed },
    { weight: 1, arbitrary: silence.map((drawn): Fault => ({ ...drawn, action: OWN })) },
  );
};

const readFault = (setup: Pick<Setup, 'vendor' | 'listing'>): fc.Arbitrary<Fault> => {
  const action = listActions(setup);
  const outages = fc
    .tuple(fc.oneof(outage(setup.vendor), fc.constant<Fault>({ kind: 'cut_json' })), many(4))
    .map(([drawn, where]): Fault => ({ ...drawn, action, ...where }));
  // Listings with holes are read again: only what lasts leaves them so.
  const pages = fc
    .record({
      kind: one('short_page' as const, 'hole_page' as const),
      rows: fc.integer({ min: 1, max: 3 }),
      skip: fc.nat({ max: 2 }),
      times: one(1, 4, LASTING),
    })
    .map((drawn): Fault => ({ ...drawn, action }));
  return fc.oneof(outages, pages);
};

const jobFault = (): fc.Arbitrary<Fault> =>
  fc
    .tuple(fc.oneof(outage('shanhe-hpc'), fc.constant<Fault>({ kind: 'cut_json' })), many(4))
    .map(([drawn, where]): Fault => ({ ...drawn, action: '/operation', ...where }));

const fault = (setup: Pick<Setup, 'vendor' | 'listing'>): fc.Arbitrary<Fault> =>
  fc.oneof(
    { weight: 6, arbitrary: writeFault(setup.vendor) },
    { weight: 3, arbitrary: readFault(setup) },
    ...(setup.vendor === 'shanhe-hpc' ? [{ weight: 2, arbitrary: jobFault() }] : []),
  );

const command = (setup: Pick<Setup, 'vendor' | 'listing'>): fc.Arbitrary<Command> => {
  const { vendor } = setup;
  const faults = fc.array(fault(setup), { maxLength: 3 });
  const rare = <Value>(arbitrary: fc.Arbitrary<Value>, freq: number) => fc.option(arbitrary, { nil: undefined, freq });
  const write = fc
    .record({
      request: request(vendor, NAMES.length, 12),
      faults,
      prefer: one('wait' as const, 'async' as const),
      key: fc.boolean(),
      repeat: fc.boolean(),
      between: rare(one('add' as const, 'remove' as const), 2),
      cancelMs: rare(fc.nat({ max: 60 }), 7),
      crashMs: rare(fc.nat({ max: 120 }), 7),
    })
    .map(
      ({ cancelMs, crashMs, key, repeat, between, ...rest }): Command => ({
        kind: 'write',
        ...rest,
        key,
        repeat: key && repeat,
        ...(key && repeat && between && { between }),
        ...(crashMs === undefined ? cancelMs !== undefined && { cancelMs } : { crashMs }),
      }),
    );
  const pair = fc
    .tuple(request(vendor, 2, 3), request(vendor, 2, 3), faults)
    .map(([first, second, drawn]): Command => ({ kind: 'pair', requests: [first, second], faults: drawn }));
  const rehearse = batch(vendor, NAMES.length, 6).map(
    (drawn): Command => ({
      kind: 'rehearse',
      items: drawn.kind === 'batch' ? drawn.items : [],
      stopOnError: drawn.kind === 'batch' && drawn.stopOnError,
    }),
  );
  const other = fc.record({
    kind: fc.constant('other' as const),
    change: one('add' as const, 'remove' as const, 'password' as const, 'group' as const),
    who: fc.nat({ max: NAMES.length - 1 }),
    role: role(),
    agoMs: one(5_000, 20_000, 3_600_000, 30 * 86_400_000),
  });
  return fc.oneof(
    { weight: 12, arbitrary: write },
    { weight: 3, arbitrary: pair },
    { weight: 1, arbitrary: rehearse },
    { weight: 2, arbitrary: other },
  );
};

const ehpcQuirks = fc.record({
  batch: one('all-or-nothing', 'until-refused', 'skips-refused'),
  addTime: one('zoneless', 'zoneless', 'utc', 'missing'),
  unknownUser: one('AgentError.Account.UserNotExist', 'UserNotFound'),
  maxPageSize: one(50, 50, 5),
});
const shanheQuirks = fc.record({
  unknownUser: one('5000', '2100', 'job'),
  duplicateUser: one('job', '5000', '2110'),
  httpStatus: one('always-200', 'mapped'),
  totalCount: one('total_count', 'total_count', 'missing'),
  allClasses: fc.constant(true),
  maxLimit: one(100, 100, 7),
});

const clocks = (vendor: VendorName): fc.Arbitrary<{ skewMs: number; dateMs: number | undefined }> => {
  // Shanhe refuses what was signed a minute off: then only a right `Date` header helps.
  const small = fc.record({
    skewMs: one(0, 0, -4_000, 4_000, -45_000, 45_000),
    dateMs: one(undefined, 0, 600_000, -5_000),
  });
  const large = fc.record({
    skewMs: one(600_000, -600_000),
    dateMs: vendor === 'shanhe-hpc' ? fc.constant(undefined) : one(undefined, 0, -600_000),
  });
  return fc.oneof({ weight: 4, arbitrary: small }, { weight: 1, arbitrary: large });
};

const setup = (vendor: VendorName): fc.Arbitrary<Setup> =>
  fc
    .record({
      others: one(2, 2, vendor === 'alibaba-ehpc' ? 60 : 120),
      present: fc.array(fc.boolean(), { minLength: NAMES.length, maxLength: NAMES.length }),
      clock: clocks(vendor),
      quirks: vendor === 'alibaba-ehpc' ? ehpcQuirks : shanheQuirks,
      listing: one('sync' as const, 'async' as const),
    })
    .map(
      ({ clock: { skewMs, dateMs }, listing, ...rest }): Setup => ({
        vendor,
        ...rest,
        skewMs,
        ...(dateMs !== undefined && { dateMs }),
        ...(vendor === 'alibaba-ehpc' && { listing }),
      }),
    );

const trouble = fc.record({
  kind: one('cut' as const, 'silent' as const, 'failover' as const),
  who: one(0 as const, 1 as const),
  atMs: fc.nat({ max: 80 }),
  forMs: one(20, 80, 150, 400),
});

/** Writes through either of two gateways, while something goes wrong between them and their store. */
const sharedCommand = (setup: Pick<Setup, 'vendor' | 'listing'>): fc.Arbitrary<Command> =>
  fc
    .tuple(command(setup), one(0 as const, 1 as const), fc.option(trouble, { nil: undefined, freq: 2 }))
    .map(([drawn, via, wrong]) => (drawn.kind === 'write' ? { ...drawn, via, ...(wrong && { trouble: wrong }) } : drawn));

/** The same with two gateways on one store. @param most commands of a plan */
export const sharedPlans = (vendor: VendorName, most: number): fc.Arbitrary<Plan> =>
  setup(vendor)
    .map((drawn): Setup => ({ ...drawn, shared: true }))
    .chain((drawn) =>
      fc.array(sharedCommand(drawn), { minLength: 1, maxLength: most }).map((commands): Plan => ({ setup: drawn, commands })),
    );

/** @param most commands of a plan */
export const plans = (vendor: VendorName, most: number): fc.Arbitrary<Plan> =>
  setup(vendor).chain((drawn) =>
    fc.array(command(drawn), { minLength: 1, maxLength: most }).map((commands): Plan => ({ setup: drawn, commands })),
  );
