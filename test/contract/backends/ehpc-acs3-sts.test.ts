import { contract } from '../suite.js';

contract('alibaba-ehpc, acs3 with an STS token');
