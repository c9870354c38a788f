/** Signing examples of Shanhe HPC: V1 is published, D1-D5 are derived from its description. */

export const SECRET = 'SECRETACCESSKEY';
export const TIME = '2021-08-19T16:44:40Z';
export const common = (zone: string) =>
  [
    'access_key_id=QYACCESSKEYIDEXAMPLE',
    'signature_method=HmacSHA256',
    'signature_version=1',
    'timestamp=2021-08-19T16%3A44%3A40Z',
    'version=1',
    `zone=${zone}`,
  ].join('&');

export const ADD = '{"cluster_id":"ehpc-8jqdq0mz","password":"kUISjs@kkkkkk!","username":"isabel","zone":"jn1a"}';
export const VECTORS = {
  'V1 with jn1a': {
    method: 'GET',
    path: '/cluster/list',
    extra: '',
    body: '',
    raw: 'W68niby0THV+XsKcRxuGblFm2a4XbTdto129JkSH2/M=',
  },
  D1: {
    ...{ method: 'GET', path: '/user', extra: '&cluster_id=hpc-qig9xu97&limit=100&offset=0', body: '' },
    raw: '3KsdKBhfJK+IsXXkdov6Yefr293wlvrsNSKHmgiMubE=',
  },
  D2: {
    ...{ method: 'GET', path: '/user', extra: '&cluster_id=hpc-qig9xu97&search_word=a%20b%2A%2B%2F~', body: '' },
    raw: 'Qgdl4UTqqmyg7ZhB9NiIpgfCFwxXyy2uEjmsbA9B0GU=',
  },
  D3: { method: 'POST', path: '/user/addUser', extra: '', body: ADD, raw: 'CvnEkSRftN83tiQ01be1GyP/vkV/hIZzf3+e0B9nFQA=' },
  D4: {
    ...{ method: 'POST', path: '/user/addUser', extra: '', body: ADD.replaceAll(':', ': ').replaceAll(',', ', ') },
    raw: 'VAkth5BgW46WvnMLMifACtWPqL3PiQi5F5mOCtC5hnk=',
  },
  D5: {
    ...{ method: 'GET', path: '/operation', extra: '&job_ids=j-2awn7xwq815', body: '' },
    raw: 'C+mtzbTvKBhvQ9MCYnENMdxPHN2lT7dBykUHKDavDsg=',
  },
};

/** Published for the sister IaaS API: a check of an HMAC helper only. */
export const V3 = {
  text: `GET\n/iaas/\naccess_key_id=QYACCESSKEYIDEXAMPLE&action=RunInstances&count=1&image_id=centos64x86a&instance_name=demo&instance_type=small_b&login_mode=passwd&login_passwd=QingCloud20130712&signature_method=HmacSHA256&signature_version=1&time_stamp=2013-08-27T14%3A30%3A10Z&version=1&vxnets.1=vxnet-0&zone=pek3a`,
  signature: 'byjccvWIvAftaq%2BoublemagH3bYAlDWxxLFAzAsyslw%3D',
};
