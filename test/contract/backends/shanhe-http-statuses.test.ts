import { contract } from '../suite.js';

contract('shanhe-hpc, HTTP statuses, unfiltered operations, failing jobs');
