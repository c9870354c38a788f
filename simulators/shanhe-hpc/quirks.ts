/** Where the vendor's documents disagree or are silent (docs/vendors/facts, sections 8 and 11); the first value is the default. */
export interface ShanheQuirks {
  /** 8.6: the list key of /user. */
  usersKey: 'users_set' | 'user_set';
  /** 8.11. */
  totalCount: 'total_count' | 'total_sum' | 'missing';
  /** 8.15: uid_number and gid_number. */
  ids: 'string' | 'number';
  /** 8.17: cluster fields beside `app_cluster` or inside it. */
  clusterFields: 'beside' | 'inside';
  /** 8.18: cluster/list without `owner` is 1100. */
  ownerRequired: boolean;
  /** 8.8: user calls name the wrong action. */
  actionName: 'specific' | 'cluster-list';
  /** 8.4, 8.5, 8.1: takes one encoding of the signature, the path without slash, `time_stamp`. */
  lenientSignature: boolean;
  /** 1.2: every published body repeats `zone`. */
  bodyZone: 'required' | 'optional';
  /** 11.10: a taken name is accepted and its job fails, or is refused at once. */
  duplicateUser: 'job' | '5000' | '2110';
  /** 11.10: deleteUser and modifyUser of an unknown name; 'job' fails the delete job (modifyUser has none: 5000). */
  unknownUser: '5000' | '2100' | 'job';
  /** A new name is kept, or written in small letters. Not documented. */
  names: 'kept' | 'small';
  /** 11.9: list users of an unknown cluster. */
  unknownCluster: '2100' | '5000' | 'empty';
  /** 8.21: passwords must hold upper and lower case, a digit and a symbol. */
  allClasses: boolean;
  /** 11.8: what search_word matches in a username. */
  search: 'substring' | 'prefix';
  /** 11.12: /operation ignores job_ids and jobs and answers everything, newest first. */
  ignoreJobFilter: boolean;
  /** 6.1: 200 for every ret_code, or an HTTP status that fits it. */
  httpStatus: 'always-200' | 'mapped';
  /** Section 7: the largest page; a larger `limit` is capped, not refused. */
  maxLimit: number;
}

export const SHANHE_QUIRKS: ShanheQuirks = {
  usersKey: 'users_set',
  totalCount: 'total_count',
  ids: 'string',
  clusterFields: 'beside',
  ownerRequired: false,
  actionName: 'specific',
  lenientSignature: false,
  bodyZone: 'required',
  duplicateUser: 'job',
  unknownUser: '5000',
  names: 'kept',
  unknownCluster: '2100',
  allClasses: false,
  search: 'substring',
  ignoreJobFilter: false,
  httpStatus: 'always-200',
  maxLimit: 100,
};
