/** Signing examples of Alibaba Cloud: published (1-7), and made with its official packages for E-HPC (A, B, P). */

export type Params = Record<string, string>;

export const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
export const FORM_TYPE = 'application/x-www-form-urlencoded';
export const KEYS = { accessKeyId: 'testAccessKeyId', accessKeySecret: 'testAccessKeySecret' };
export const TOKEN = 'testSecurityToken/+=';
export const NONCE = '5f2c1d0e9b8a47c6a3d2e1f001122334';
export const TIME = '2025-01-02T03:04:05Z';
export const HOST = 'ehpc.cn-hangzhou.aliyuncs.com';
const CLUSTER = 'ehpc-hz-FYUr32abcd';
export const LIST: Params = { ClusterId: CLUSTER, PageNumber: '1', PageSize: '50' };
const ALICE: Params = { 'User.1.Name': 'alice.w', 'User.1.Group': 'users', 'User.1.Password': "Abc1~!@#$%^&*()_+ ='" };
const BOB: Params = { 'User.2.Name': 'bob001', 'User.2.Group': 'wheel', 'User.2.Password': 'Passw0rd!' };
export const ADD: Params = { ClusterId: CLUSTER, Async: 'false', ...ALICE, ...BOB };
const CREATE: Params = { ClusterId: CLUSTER, User: '[{"UserName":"alice.w","Group":"users","Password":"Passw0rd!"}]' };
export const FORM =
  "ClusterId=ehpc-hz-FYUr32abcd&Async=false&User.1.Name=alice.w&User.1.Group=users&User.1.Password=Abc1~!%40%23%24%25%5E%26*()_%2B%20%3D'&User.2.Name=bob001&User.2.Group=wheel&User.2.Password=Passw0rd!";

/** As the official clients write it: `! ' ( ) *` stay plain on the wire. */
export const wire = (params: Params) =>
  Object.entries(params)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');

export interface RpcVector {
  readonly id?: string;
  readonly secret?: string;
  readonly method?: string;
  readonly params: Params;
  /** Goes into the body as it is. */
  readonly form?: string;
  readonly token?: string;
  readonly signature: string;
}

const rpcCommon = (action: string, version: string, nonce: string, time: string, format: string): Params => ({
  ...{ Action: action, Version: version, Format: format, SignatureNonce: nonce, Timestamp: time },
  ...{ SignatureMethod: 'HMAC-SHA1', SignatureVersion: '1.0' },
});
export const ehpc = (action: string, format = 'json') => rpcCommon(action, '2018-04-12', NONCE, TIME, format);
const old = { id: 'testid', secret: 'testsecret' };
export const RPC: Record<string, RpcVector> = {
  '1 DescribeRegions': {
    ...old,
    params: rpcCommon('DescribeRegions', '2014-05-26', '3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf', '2016-02-23T12:46:24Z', 'XML'),
    signature: 'OLeaidS1JvxuMvnyHOwuJ+uX5qY=',
  },
  '2 DescribeDedicatedHosts': {
    ...old,
    params: {
      ...rpcCommon('DescribeDedicatedHosts', '2014-05-26', 'edb2b34af0af9a6d14deaf7c1a5315eb', '2023-03-13T08:34:30Z', 'JSON'),
      RegionId: 'cn-beijing',
    },
    signature: '9NaGiOspFP5UPcwX8Iwt2YJXXuk=',
  },
  '3 SendSms, non-ASCII': {
    id: 'testId',
    secret: 'testSecret',
    params: {
      ...rpcCommon('SendSms', '2017-05-25', '45e25e9b-0a6f-4070-8c85-2956eda1b466', '2017-07-12T02:42:19Z', 'XML'),
      ...{ OutId: '123', PhoneNumbers: '15300000001', RegionId: 'cn-hangzhou', SignName: '阿里云短信测试专用' },
      ...{ TemplateCode: 'SMS_71390007', TemplateParam: '{"customer":"test"}' },
    },
    signature: 'zJDF+Lrzhj/ThnlvIToysFRq6t4=',
  },
  '4 CreateUser': {
    ...old,
    params: {
      ...rpcCommon('CreateUser', '2015-05-01', '6a6e0ca6-4557-11e5-86a2-b8e8563dc8d2', '2015-08-18T03:15:45Z', 'JSON'),
      UserName: 'test',
    },
    signature: 'kRA2cnpJVacIhDMzXnoNZG9tDCI=',
  },
  'A1 ListUsers': { params: { ...ehpc('ListUsers'), ...LIST }, signature: 'buryiJYCd/aokvLEtIprEquvnSY=' },
  'A2 AddUsers': { params: { ...ehpc('AddUsers'), ...ADD }, signature: '6ParhJ8mrHmGXZyHic9IHclndVg=' },
  'A3 with token': { params: { ...ehpc('ListUsers'), ...LIST }, token: TOKEN, signature: 'pEO+OLloHqDPjVxj0Tn3fJ4ndxE=' },
  'A4 form body': { method: 'POST', params: ehpc('AddUsers'), form: FORM, signature: 'py+fMn7/cAJSAHlDu0AOgj4CyIs=' },
  'P1 pop-core ListUsers': {
    params: { ...ehpc('ListUsers', 'JSON'), ...LIST, RegionId: 'cn-hangzhou' },
    signature: 'OUpf0+/awQZn3D0U/j7oauMJrfk=',
  },
  'P2 pop-core AddUsers, all in the body': {
    method: 'POST',
    params: {},
    form: wire({
      ...ehpc('AddUsers', 'JSON'),
      ...{ AccessKeyId: KEYS.accessKeyId, ClusterId: CLUSTER, RegionId: 'cn-hangzhou' },
      ...ALICE,
    }),
    signature: 'kubsL1iKI3DMgzVjj7yrIgkQAKo=',
  },
  'P3 pop-core with token': {
    params: { ...ehpc('ListUsers', 'JSON'), ClusterId: CLUSTER, RegionId: 'cn-hangzhou' },
    token: TOKEN,
    signature: 'RwkIzkBuBtpqslSIgAi2jJ8NX60=',
  },
};

export interface Acs3Vector {
  readonly id?: string;
  readonly secret?: string;
  readonly method: string;
  readonly action: string;
  readonly version: string;
  readonly host?: string;
  readonly date?: string;
  readonly nonce?: string;
  readonly query: Params;
  readonly body?: string;
  readonly extra?: Params;
  readonly token?: string;
  readonly canonicalHash?: string;
  readonly signature: string;
  /** The signature when the official client adds its own signed header. */
  readonly bySdk?: string;
}

const RUN_INSTANCES = {
  ...{ id: 'YourAccessKeyId', secret: 'YourAccessKeySecret', method: 'POST', action: 'RunInstances', version: '2014-05-26' },
  host: 'ecs.cn-shanghai.aliyuncs.com',
  query: { ImageId: 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd', RegionId: 'cn-shanghai' },
};
const B1 = { method: 'GET', action: 'ListUsers', version: '2018-04-12', query: LIST };
export const ACS3: Record<string, Acs3Vector> = {
  '5 RunInstances': {
    ...RUN_INSTANCES,
    date: '2023-10-26T10:22:32Z',
    nonce: '3156853299f313e23d1673dc12e1703d',
    canonicalHash: '7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259',
    signature: '06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0',
  },
  '6 RunInstances, older page': {
    ...RUN_INSTANCES,
    date: '2023-10-26T09:01:01Z',
    nonce: 'd410180a5abf7fe235dd9b74aca91fc0',
    signature: 'e521358f7776c97df52e6b2891a8bc73026794a071b50c3323388c4e0df64804',
  },
  'B1 ListUsers': {
    ...B1,
    canonicalHash: '1fafddbffa4fbcfe357d25c37297d2ee8c12f40ec4034b8932932c863161e427',
    signature: '83e05091be42270898e3ab385afdf433a56fe36ec7530148fae5d4ee58940b93',
    bySdk: 'ecc834694911d7841222c36b56bc29d21e460fd65924198dea5b8797fa507382',
  },
  'B2 AddUsers': {
    ...{ method: 'GET', action: 'AddUsers', version: '2018-04-12', query: ADD },
    canonicalHash: '917ffb8137d4b9bf8bb54c331f8dc85b4a76c9e4a62a078928bff90795212f46',
    signature: '8a0e3bd42d1426db3649c4b39ed94ec85345f8aab43457af51ab52b3cb58f337',
    bySdk: '0d74611951aed5ff327885f4de3d76836bdd6f699217beff49671e458120ec37',
  },
  'B3 token and key id headers': {
    ...B1,
    extra: { 'x-acs-security-token': TOKEN, 'x-acs-accesskey-id': KEYS.accessKeyId },
    token: TOKEN,
    canonicalHash: 'f8ea04e067a0ee2c68ebd4a77c3d4e13f08e6d2b70c56c242f1ea580613cd859',
    signature: 'b3cbb7d3f3f03e72765cc950733720cb738fa920bebe787902c582747eaee42a',
    bySdk: 'bce1dead2937bd8c0e5ac6684600a90facd473f743d2fcdcd5bce9f8996260d2',
  },
  'B3b token header only': {
    ...B1,
    extra: { 'x-acs-security-token': TOKEN },
    token: TOKEN,
    signature: '6fb7b83a8e284aa5dd160f83b9b86a2753a9ce716ff8b01e71a49783949f5baf',
  },
  'B4 CreateUsers': {
    ...{ method: 'POST', action: 'CreateUsers', version: '2024-07-30', query: CREATE },
    canonicalHash: '3d20e09f9e256da444f1e31ce5b4585c24f7507d766fd426b4813e7d0c8421a6',
    signature: 'fc1b4808e902a4b78639b7615a83a6cb83149d0b2bcc31d2f86a471c690ffd0d',
    bySdk: '59a672413c0c629a2f98976979ccfb6ca9db754a65517647d7c875251de792ba',
  },
  'B5 ListClusters': {
    ...{ method: 'POST', action: 'ListClusters', version: '2024-07-30', query: { PageNumber: '1', PageSize: '100' } },
    canonicalHash: '56cf4ef52f4c9954581ba5b840ceffc502878f3ae93af671ed7d33f418af2144',
    signature: '796dc17a3797136b8ee48a5959f624fc890d41a418765542b7d1a62c0e2b8b6f',
    bySdk: '8b8cd693157553ab8cf135cf83d9e3850bce0bc1973fc13a4058d0dfdf630b4f',
  },
  'B6 form body': {
    ...{ method: 'POST', action: 'AddUsers', version: '2018-04-12', query: {}, body: FORM },
    extra: { 'content-type': FORM_TYPE },
    canonicalHash: 'cab5db01b1c4c762cb429ef468515ef278282d4835d280de47023f059777aca4',
    signature: '0a594a8e7fb5fbda6487713a194f57591c355a14e425a25a3c5ee9a2519405ed',
    bySdk: 'a846c74b3f2fae7c020a8213c24c628c80c300db3650e82d47dbe7f7631d50e2',
  },
};
