/** Which faults of the simulators are met in which round. */
import type { AlibabaEhpcSimulator } from '../../../simulators/alibaba-ehpc/index.js';
import { ECHO_VALUES } from '../../../simulators/kit/echo.js';
import { FAULT_KINDS, type Fault, SHAPES } from '../../../simulators/kit/fault.js';
import { SPELLINGS } from '../../../simulators/kit/spelling.js';
import type { ShanheHpcSimulator } from '../../../simulators/shanhe-hpc/index.js';

export interface Vendors {
  readonly ehpc: AlibabaEhpcSimulator;
  readonly shanhe: ShanheHpcSimulator;
}

interface Habits {
  /** What writes, and what reads. */
  readonly writes: readonly string[];
  readonly reads: readonly string[];
  readonly fields: readonly string[];
  /** Refusals in different codes of ours. */
  readonly codes: readonly string[];
}

const HEADERS = ['location', 'retry-after', 'x-request-id', 'set-cookie', 'www-authenticate', 'date', 'content-type'].map(
  (name) => `header:${name}`,
);

export const EHPC: Habits = {
  writes: ['AddUsers', 'ModifyUserPasswords', 'ModifyUserGroups', 'DeleteUsers'],
  reads: ['ListUsers', 'ListUsersAsync', 'DescribeCluster', 'ListClusters', 'ListClustersMeta'],
  fields: [
    ...['Code', 'Message', 'RequestId', 'HostId', 'Status', 'Group', 'Name', 'Id', 'RegionId', 'ZoneId', 'AddTime'],
    ...['UserId', 'GroupId', 'AsyncId', 'AsyncStatus', 'TotalCount', 'PageSize', 'Clusters', 'Users', 'Brandnew'],
    ...HEADERS,
    ...['header:x-acs-request-id', 'header:x-acs-retry-after'],
  ],
  codes: ['InvalidParams', 'AgentError', 'NotAuthorized', 'InternalError', 'ConflictOpt'],
};

export const SHANHE: Habits = {
  writes: ['/user/addUser', '/user/deleteUser', '/user/modifyUser'],
  reads: ['/user', '/operation', '/cluster/list'],
  fields: [
    ...['ret_code', 'message', 'request_id', 'action', 'cluster_status', 'status', 'role', 'username', 'cluster_id'],
    ...['cluster_name', 'cluster_type', 'job_id', 'error_codes', 'hpcuser_id', 'nas_mount_point', 'uid_number', 'create_time'],
    ...['total_count', 'user_set', 'job_set', 'brand_new'],
    ...HEADERS,
  ],
  codes: ['1101', '5000', '1400', '2110', '5100'],
};

const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;

/** Vendors that repeat secrets in what they say of writes; of readings; and, seldom, in both. */
const TURNS = ['writes', 'reads', 'writes', 'reads', 'both'] as const;

/** In each round, each action meets so many fields that the round before did not meet. */
const NEW_FIELDS = 6;
const MOST_FIELDS = Math.max(EHPC.fields.length, SHANHE.fields.length);
/** So many rounds meet nearly each field of each action. */
export const ECHO_ROUNDS = Math.ceil((MOST_FIELDS / NEW_FIELDS) * TURNS.length * 0.4);
/** And so many meet each a few times, in other spellings; the property test of redaction has them all. */
export const ALL_ECHO_ROUNDS = ECHO_ROUNDS * 3;

/** Passwords half of the time: the other secrets are the same in each round. */
const VALUES = ECHO_VALUES.flatMap((value) => [value, 'password' as const]);

const refusing = (codes: readonly string[], turn: number, isWrite: boolean): Partial<Fault> => {
  // A refused reading ends most operations before anything is written.
  if (turn % (isWrite ? 2 : 4) === 1) return { code: at(codes, turn) };
  return turn % 7 === 6 ? { status: at([302, 307, 400, 502], turn) } : {};
};

/** Each action repeats a secret in one field after the other, of a call each; and in other fields, spellings and secrets in each round. */
export const injectEchoes = ({ ehpc, shanhe }: Vendors, round: number): void => {
  const turn = at(TURNS, round);
  const step = Math.floor(round / 2);
  for (const [simulator, { writes, reads, fields, codes }] of [
    [ehpc, EHPC],
    [shanhe, SHANHE],
  ] as const)
    for (const [index, action] of [...writes, ...reads].entries()) {
      const isWrite = writes.includes(action);
      if (turn !== 'both' && (turn === 'writes') !== isWrite) continue;
      for (let call = 0; call < fields.length; call++) {
        const number = step * NEW_FIELDS + call;
        const lap = Math.floor(number / fields.length);
        simulator.inject({
          kind: 'echo',
          action,
          field: at(fields, number),
          value: at(VALUES, number + index + lap),
          spelling: at(SPELLINGS, number * 5 + index + lap + round),
          message: at(['%s', 'value %s is bad', '{"said":"%s"}'], number + index),
          times: 1,
          ...refusing(codes, number + index + lap + step, isWrite),
        });
      }
    }
};

/** What each other kind of fault is given. */
const DETAILS: Readonly<Partial<Record<Fault['kind'], Partial<Fault>>>> = {
  throttle: { retryAfterSeconds: 1 },
  http_status: { status: 500 },
  delay: { delayMs: 300 },
  drip: { delayMs: 1 },
  late_effect: { delayMs: 100 },
  short_page: { rows: 3 },
  hole_page: { rows: 3 },
  job_slow: { delayMs: 500 },
};

/** Faults other than `echo`; each with the number of calls that it hits. */
export const OTHER_FAULTS: readonly Fault[] = [
  ...FAULT_KINDS.filter((kind) => !['echo', 'wrong_shape', 'vendor_error', 'error_after'].includes(kind)).map(
    (kind): Fault => ({ kind, times: 2, ...DETAILS[kind] }),
  ),
  ...SHAPES.map((shape): Fault => ({ kind: 'wrong_shape', shape, times: 2 })),
];

/** A text that quotes the request, as broken answers and pages of proxies do. */
export const quotingFaults = (words: string): readonly Fault[] => [
  { kind: 'html', message: `<p>bad request: ${words}</p>`, times: 4 },
  { kind: 'html', message: `{"Code":"X","Message":"${words}`, status: 400, times: 4 },
  { kind: 'html', message: `"${words}"`, status: 200, times: 4 },
  { kind: 'html', message: `["${words}"]`, status: 302, times: 4 },
];

/** A vendor that cannot show a fault refuses it. */
export const injectWherePossible = ({ ehpc, shanhe }: Vendors, fault: Fault): void => {
  for (const simulator of [ehpc, shanhe])
    try {
      simulator.inject(fault);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
};

export const clearFaults = ({ ehpc, shanhe }: Vendors): void => {
  ehpc.clearFaults();
  shanhe.clearFaults();
};
