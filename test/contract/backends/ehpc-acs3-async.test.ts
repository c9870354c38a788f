import { contract } from '../suite.js';

contract('alibaba-ehpc, acs3, async listing');
