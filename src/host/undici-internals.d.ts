declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici';
  export default Agent;
}
declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher } from 'undici';
  /** As a dispatcher's method: the dispatcher is `this`. */
  const request: Dispatcher['request'];
  export default request;
}
