/** Where the vendor's documents disagree with themselves (docs/vendors/facts, sections 8 and 9); the first value is the default. */
export interface EhpcQuirks {
  /** 9.1: UserId and GroupId. */
  ids: 'string' | 'number';
  /** 9.16: `Users: {UserInfo: […]}` or a bare array. */
  users: 'wrapped' | 'bare-array';
  /** 9.16: what stands for no users at all. */
  noUsers: 'empty' | 'missing';
  /** 9.14: TotalCount of the list or of the page. */
  totalCount: 'list' | 'page';
  /** 9.13: PageSize echoes the request or counts the rows. */
  pageSize: 'request' | 'rows';
  /** 8: AddTime in ListUsers. */
  addTime: 'zoneless' | 'utc' | 'missing';
  /** 8: AddTime in ListUsersAsync. */
  asyncAddTime: 'utc' | 'zoneless' | 'missing';
  /** 8: the clock that a zone-less AddTime shows. */
  zonelessClock: 'utc' | 'china';
  /** 9.17: the AsyncId in the answer. */
  asyncId: 'sent' | 'missing';
  /** 9.19. */
  throttlingStatus: 400 | 429;
  /** 9.20: 407 NotAuthorized or 403 Forbidden.RAM. */
  ramDenial: 'NotAuthorized' | 'Forbidden.RAM';
  /** 9.21: InvalidAccessKeyId.NotFound. */
  unknownKeyStatus: 404 | 400;
  /** 6c: SignatureDoesNotMatch. */
  signatureStatus: 400 | 403;
  /** 9.22. */
  timeWindowMinutes: 15 | 31;
  /** 6b: the code for an unknown user; Terraform looks for the second one. */
  unknownUser: 'AgentError.Account.UserNotExist' | 'UserNotFound';
  /** A new name is kept, or written in small letters. Not documented. */
  names: 'kept' | 'small';
  /** 5: DescribeCluster's ClusterInfo.Id, described with an instance id. */
  describedId: 'cluster' | 'instance';
  /**
   * What a write does when an entry is refused (a taken or unknown name): nothing; the entries before it; or all the others.
   * The answer is the refusal of the first bad entry. Not documented.
   */
  batch: 'all-or-nothing' | 'until-refused' | 'skips-refused';
  /** How long a write keeps others of its cluster away, in milliseconds: they are refused with `ConflictOpt`. 0: never. Not documented. */
  writeMs: number;
  /** The largest page: a larger one, up to the documented 50, may be asked for, and PageSize of the answer says this size. */
  maxPageSize: number;
}

export const EHPC_QUIRKS: EhpcQuirks = {
  ids: 'string',
  users: 'wrapped',
  noUsers: 'empty',
  totalCount: 'list',
  pageSize: 'request',
  addTime: 'zoneless',
  asyncAddTime: 'utc',
  zonelessClock: 'utc',
  asyncId: 'sent',
  throttlingStatus: 400,
  ramDenial: 'NotAuthorized',
  unknownKeyStatus: 404,
  signatureStatus: 400,
  names: 'kept',
  timeWindowMinutes: 15,
  unknownUser: 'AgentError.Account.UserNotExist',
  describedId: 'cluster',
  batch: 'all-or-nothing',
  writeMs: 0,
  maxPageSize: 50,
};
