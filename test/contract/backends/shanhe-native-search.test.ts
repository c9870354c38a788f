import { contract } from '../suite.js';

contract('shanhe-hpc, native search');
