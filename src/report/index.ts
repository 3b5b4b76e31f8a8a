export { formatReport, parseReportFormat, reportFormats } from './formats.ts';
export { formatAnnotations } from './github.ts';
export { escapeCell } from './markdown.ts';
export { countsOf, summaryOf, type Report, type Suppressed } from './report.ts';
export { toSarif } from './sarif.ts';
export { table } from './table.ts';
