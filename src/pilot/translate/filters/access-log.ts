import type { Issue } from '../../../apis/issue.ts';
import type { MeshConfig } from '../../../apis/mesh/mesh-config.ts';
import type { AccessLog, SubstitutionFormatString } from '../../../gen/types.ts';
import { extension, struct } from '../protobuf.ts';
import { findBadOperator } from './log-operators.ts';

/** What the mesh says about logging, and nothing else: equal settings give equal listeners. */
export type AccessLogConfig = Pick<MeshConfig, 'accessLogFile' | 'accessLogFormat' | 'accessLogEncoding'>;

const fields: Readonly<Record<string, string>> = {
  start_time: '%START_TIME%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  protocol: '%PROTOCOL%',
  response_code: '%RESPONSE_CODE%',
  response_flags: '%RESPONSE_FLAGS%',
  response_code_details: '%RESPONSE_CODE_DETAILS%',
  connection_termination_details: '%CONNECTION_TERMINATION_DETAILS%',
  istio_policy_status: '%DYNAMIC_METADATA(istio.mixer:status)%',
  upstream_transport_failure_reason: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
  duration: '%DURATION%',
  upstream_service_time: '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
  x_forwarded_for: '%REQ(X-FORWARDED-FOR)%',
  user_agent: '%REQ(USER-AGENT)%',
  request_id: '%REQ(X-REQUEST-ID)%',
  authority: '%REQ(:AUTHORITY)%',
  upstream_host: '%UPSTREAM_HOST%',
  upstream_cluster: '%UPSTREAM_CLUSTER_RAW%',
  upstream_local_address: '%UPSTREAM_LOCAL_ADDRESS%',
  downstream_local_address: '%DOWNSTREAM_LOCAL_ADDRESS%',
  downstream_remote_address: '%DOWNSTREAM_REMOTE_ADDRESS%',
  requested_server_name: '%REQUESTED_SERVER_NAME%',
  route_name: '%ROUTE_NAME%',
};

/** The order of Istio 1.4, which parsers of its logs count on. */
const line = [
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS%',
  '"%DYNAMIC_METADATA(istio.mixer:status)%" "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION%',
  '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%"',
  '"%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS%',
  '%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n',
].join(' ');

/** One logger for the mesh's log file, or none. A format that Envoy would refuse is replaced by the default. */
export function buildAccessLog(config: AccessLogConfig): readonly AccessLog[] {
  const { accessLogFile: path } = config;
  if (path === '') return [];
  const logFormat = buildFormat(config);
  const loggers = 'envoy.extensions.access_loggers';
  switch (path) {
    case '/dev/stdout':
      return [extension('envoy.access_loggers.stdout', `${loggers}.stream.v3.StdoutAccessLog`, { logFormat })];
    case '/dev/stderr':
      return [extension('envoy.access_loggers.stderr', `${loggers}.stream.v3.StderrAccessLog`, { logFormat })];
    default:
      return [extension('envoy.access_loggers.file', `${loggers}.file.v3.FileAccessLog`, { path, logFormat })];
  }
}

/** The same logger, only for connections that no filter chain takes: nothing else would mention them. */
export function buildListenerAccessLog(accessLog: readonly AccessLog[]): readonly AccessLog[] {
  return accessLog.map((log) => ({ ...log, filter: { responseFlagFilter: { flags: ['NR'] } } }));
}

/** Why the mesh's own format is not used, if it is not. */
export function checkAccessLogFormat(config: AccessLogConfig): readonly Issue[] {
  const { accessLogFormat: format } = config;
  if (format === '') return [];
  const problem = config.accessLogEncoding === 'JSON' ? findJsonProblem(format) : findTextProblem(format);
  if (problem === undefined) return [];
  return [
    {
      code: 'XEB2306',
      level: 'warning',
      path: ['accessLogFormat'],
      message: `${problem}: the default format is used instead`,
    },
  ];
}

function buildFormat(config: AccessLogConfig): SubstitutionFormatString {
  const isUsable = checkAccessLogFormat(config).length === 0;
  const format = isUsable ? config.accessLogFormat : '';
  if (config.accessLogEncoding === 'JSON') {
    return { jsonFormat: struct(parseFlatObject(format) ?? fields), jsonFormatOptions: { sortProperties: false } };
  }
  const text = format === '' ? line : format;
  return { textFormatSource: { inlineString: text.endsWith('\n') ? text : `${text}\n` } };
}

function findTextProblem(format: string): string | undefined {
  const bad = findBadOperator(format);
  return bad === undefined
    ? undefined
    : `${JSON.stringify(bad)} is not an operator of Envoy's access log (a bare % is written %%)`;
}

function findJsonProblem(format: string): string | undefined {
  const parsed = parseFlatObject(format);
  if (parsed === undefined)
    return 'with accessLogEncoding JSON, accessLogFormat is a JSON object of strings, and this is not';
  return findTextProblem(Object.values(parsed).join(' '));
}

function parseFlatObject(text: string): Readonly<Record<string, string>> | undefined {
  const parsed = parseJson(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const entries = Object.entries(parsed);
  return entries.every(isTextEntry) ? Object.fromEntries(entries) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isTextEntry(entry: [string, unknown]): entry is [string, string] {
  return typeof entry[1] === 'string';
}
