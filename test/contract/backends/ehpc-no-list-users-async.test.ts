import { contract } from '../suite.js';

contract('alibaba-ehpc, an endpoint without ListUsersAsync');
