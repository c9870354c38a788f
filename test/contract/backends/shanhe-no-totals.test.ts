import { contract } from '../suite.js';

contract('shanhe-hpc, no totals, 5000 for a taken name');
