/** The beginning of docs/benchmarks.md: how to read the figures, and how to get one's own. */
export const explanation = `# Benchmarks

Written by \`npm run bench -- --write\`; do not edit. \`npm run bench\` prints the same tables for your machine
(\`--only push\`, \`--quick\`, \`--json\`). It needs the lab (it starts it), fetches crane, oras, cosign and trivy into the
lab's cache, and leaves nothing else behind.

- Contenders run in turn, round by round (A B C, A B C), so that whatever else the machine does falls on all of
  them. The first round warms caches and does not count. Figures are medians.
- Time is the wall clock from before the command starts to its exit, Node's start included.
- The environment is the machine's, without NODE_EXTRA_CA_CERTS: reading those certificates takes Node about 0.05 s at
  every start (a bare \`node -e 0\`: 0.07 s with a distribution's bundle, 0.03 s without), and no contender speaks TLS.
- *ratio* is the row's median against ours: 2.00× took twice as long.
- *memory* is the largest resident set of a single process below the command, as GNU time reports it. What
  daemons (dockerd, docker-registry) use is not counted.
- A peer that is not there or fails is listed as missing, with the reason.`;
