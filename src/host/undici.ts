// Loaded lazily as one module of ours: a bundler cannot give a CommonJS package's names to a dynamic import.
export { Agent, EnvHttpProxyAgent, request } from 'undici';
