import { contract } from '../suite.js';

contract('shanhe-hpc, user_set, number ids, total_sum');
