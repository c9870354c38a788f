import { contract } from '../suite.js';

contract('alibaba-ehpc, rpc-v1, sync listing');
