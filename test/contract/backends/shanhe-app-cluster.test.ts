import { contract } from '../suite.js';

contract('shanhe-hpc, fields in app_cluster, 2110 and 2100');
