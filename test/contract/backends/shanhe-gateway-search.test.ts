import { contract } from '../suite.js';

contract('shanhe-hpc, gateway search');
