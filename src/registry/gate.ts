export { eachLimited, Limiter, mapLimited } from '../core/limit.ts';
