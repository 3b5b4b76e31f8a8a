# Decisions of the OpenShell supervisor in file mode, over the data of policy.yaml. The supervisor
# (0.0.83) asks for the rules below by name: allow_network and its companions once for each
# connection, allow_request and its companion for each HTTP request inside an inspected connection,
# and the three policies at the top when it sets the sandbox up.
#
#   input.network  {host, port}
#   input.exec     {path, ancestors}: /proc/<pid>/exe of the process and of those above it
#   input.request  {method, path, query_params}, the path in canonical form
#
# Everything is denied but what an entry allows; a deny rule beats every allow rule.
package openshell.sandbox

import rego.v1

filesystem_policy := data.filesystem_policy

landlock_policy := data.landlock

process_policy := data.process

# `data` as a whole cannot be read here: it holds this package, and that would be a recursion.
default policies := {}

policies := data.network_policies

# --- connections -------------------------------------------------------------------------------

default allow_network := false

allow_network if count(_matching_policy_names) > 0

default network_action := "deny"

network_action := "allow" if allow_network

_matching_policy_names contains name if {
	some name, policy in policies
	endpoint_matches(policy.endpoints[_], input.network)
	binary_allowed(policy, input.exec)
}

# Several entries may allow the same connection; the log names the first in order of name.
matched_network_policy := min(_matching_policy_names) if allow_network

_endpoint_known if {
	some policy in policies
	endpoint_matches(policy.endpoints[_], input.network)
}

deny_reason := "missing input.network" if {
	not input.network
} else := "missing input.exec" if {
	not input.exec
} else := "network connections not allowed by policy" if {
	count(policies) == 0
} else := reason if {
	not _endpoint_known
	reason := sprintf("endpoint %s:%v is in no policy", [input.network.host, input.network.port])
} else := reason if {
	not allow_network
	reason := sprintf(
		"binary %s may not reach %s:%v; policies compare /proc/<pid>/exe, so a link or a script in `binaries` never matches (ancestors: %s)",
		[input.exec.path, input.network.host, input.network.port, concat(" <- ", object.get(input.exec, "ancestors", []))],
	)
}

# --- matching ----------------------------------------------------------------------------------

endpoint_matches(endpoint, network) if {
	host_matches(endpoint.host, network.host)
	network.port in endpoint_ports(endpoint)
}

# The supervisor turns `port` into `ports` before it asks; both forms are understood here.
endpoint_ports(endpoint) := endpoint.ports

endpoint_ports(endpoint) := [endpoint.port] if not endpoint.ports

host_matches(pattern, host) if {
	not contains(pattern, "*")
	lower(pattern) == lower(host)
}

# One label at most for each `*`: *.example.com is not a.b.example.com.
host_matches(pattern, host) if {
	contains(pattern, "*")
	not contains(pattern, "**")
	glob.match(lower(pattern), ["."], lower(host))
}

# A process may do what its own executable or that of an ancestor may. The command line is never
# looked at: any process can write what it likes there.
binary_allowed(policy, exec) if {
	some binary in policy.binaries
	some path in array.concat([exec.path], object.get(exec, "ancestors", []))
	path_is(binary.path, path)
}

path_is(pattern, path) if {
	not contains(pattern, "*")
	pattern == path
}

path_is(pattern, path) if {
	contains(pattern, "*")
	glob.match(pattern, ["/"], path)
}

# --- requests inside a connection --------------------------------------------------------------

default allow_request := false

allow_request if {
	not deny_request
	some name in _matching_policy_names
	some endpoint in policies[name].endpoints
	endpoint_matches(endpoint, input.network)
	endpoint_allows(endpoint, input.request)
}

default deny_request := false

deny_request if {
	some name in _matching_policy_names
	some endpoint in policies[name].endpoints
	endpoint_matches(endpoint, input.network)
	some rule in endpoint.deny_rules
	request_denied(rule, input.request)
}

request_deny_reason := "a deny rule matches" if {
	deny_request
} else := reason if {
	not allow_request
	reason := sprintf("%s %s is allowed by no rule", [input.request.method, input.request.path])
}

endpoint_allows(endpoint, request) if {
	some rule in endpoint.rules
	request_matches(rule.allow, request)
}

# The supervisor expands `access` into rules before it asks; unexpanded, it means the same here.
endpoint_allows(endpoint, request) if {
	not endpoint.rules
	upper(request.method) in access_methods[endpoint.access]
}

endpoint_allows(endpoint, _) if {
	not endpoint.rules
	endpoint.access == "full"
}

access_methods := {
	"read-only": {"GET", "HEAD", "OPTIONS"},
	"read-write": {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH"},
}

request_matches(rule, request) if {
	method_matches(rule.method, request.method)
	request_path_matches(rule.path, request.path)
	query_matches(rule, request)
}

method_matches("*", _)

method_matches(wanted, method) if upper(wanted) == upper(method)

# HEAD asks for no more than GET does.
method_matches(wanted, method) if {
	upper(wanted) == "GET"
	upper(method) == "HEAD"
}

request_path_matches("**", _)

request_path_matches(pattern, path) if glob.match(pattern, ["/"], path)

# Every parameter that the rule names must be there, and each of its values must match.
query_matches(rule, request) if {
	wanted := object.get(rule, "query", {})
	every key, pattern in wanted {
		values := object.get(object.get(request, "query_params", {}), key, [])
		count(values) > 0
		every value in values {
			value_matches(pattern, value)
		}
	}
}

value_matches(pattern, value) if {
	is_string(pattern)
	glob.match(pattern, [], value)
}

value_matches(pattern, value) if {
	some one in pattern.any
	glob.match(one, [], value)
}

value_matches(pattern, value) if glob.match(pattern.glob, [], value)

# A deny rule is not to be dodged by repeating a parameter with a harmless value: one value of each
# parameter is enough.
request_denied(rule, request) if {
	method_matches(rule.method, request.method)
	request_path_matches(rule.path, request.path)
	every key, pattern in object.get(rule, "query", {}) {
		some value in object.get(object.get(request, "query_params", {}), key, [])
		value_matches(pattern, value)
	}
}

# --- what the proxy needs to know of the endpoint ------------------------------------------------

_matching_endpoint_configs := [endpoint |
	some name in _matching_policy_names
	some endpoint in policies[name].endpoints
	endpoint_matches(endpoint, input.network)
	has_settings(endpoint)
]

matched_endpoint_config := _matching_endpoint_configs[0]

has_settings(endpoint) if endpoint.protocol

has_settings(endpoint) if endpoint.tls

has_settings(endpoint) if count(endpoint.allowed_ips) > 0

# A host that a policy names exactly may resolve to a private address; one that only a glob matches
# may not.
default exact_declared_endpoint_host := false

exact_declared_endpoint_host if {
	some name in _matching_policy_names
	some endpoint in policies[name].endpoints
	not contains(endpoint.host, "*")
	endpoint_matches(endpoint, input.network)
}
