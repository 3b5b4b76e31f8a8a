// One file of undici and what its request needs, instead of its index: that saves about 30 ms of every
// command that uses the network.
import Agent from 'undici/lib/dispatcher/agent.js';
import request from 'undici/lib/api/api-request.js';

Object.assign(Agent.prototype, { request });

export { Agent };
