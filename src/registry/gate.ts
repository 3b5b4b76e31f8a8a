export { eachLimited, Gate, mapLimited } from '../core/limit.ts';
