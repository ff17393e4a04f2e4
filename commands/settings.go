package commands

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"etcdlua/etcdapi"
	"etcdlua/runtime"
)

// setting is one thing that can be said about the connection: by a flag, or by the
// variable of etcdctl, whose name follows from the flag's.
type setting struct {
	name   string
	alias  string
	usage  string
	value  string // what it is when nobody says anything
	secret bool
	ours   bool // etcdctl does not have it, so there is no variable
	apply  func(c *etcdapi.Config, value string) error
}

// settings are etcdctl's, with its names and defaults (etcdctl 3.7, ctlv3/ctl.go), and two more.
func settings() []setting {
	return []setting{
		{name: "endpoints", usage: "`LIST` of host:port, http://, https:// or unix: addresses, with commas", apply: applyEndpoints},
		{name: "discovery-srv", alias: "d", usage: "`DOMAIN` whose SRV records name the endpoints", apply: text(func(c *etcdapi.Config) *string { return &c.DiscoverySRV })},
		{name: "discovery-srv-name", usage: "service `NAME` to ask DNS for", apply: text(func(c *etcdapi.Config) *string { return &c.DiscoverySRVName })},
		{name: "insecure-discovery", value: "true", usage: "accept SRV records of endpoints without TLS", apply: yes(func(c *etcdapi.Config) *bool { return &c.InsecureDiscovery })},
		{name: "cacert", usage: "`FILE` of the certificates to trust", apply: text(func(c *etcdapi.Config) *string { return &c.CACert })},
		{name: "cert", usage: "`FILE` of the client's certificate", apply: text(func(c *etcdapi.Config) *string { return &c.Cert })},
		{name: "key", usage: "`FILE` of the client's key", apply: text(func(c *etcdapi.Config) *string { return &c.Key })},
		{name: "insecure-transport", value: "true", usage: "no TLS to endpoints that do not say https://", apply: yes(func(c *etcdapi.Config) *bool { return &c.InsecureTransport })},
		{name: "insecure-skip-tls-verify", value: "false", usage: "do not check the server's certificate", apply: yes(func(c *etcdapi.Config) *bool { return &c.InsecureSkipTLSVerify })},
		{name: "user", secret: true, usage: "`NAME` or NAME:PASSWORD; asks for the password on a terminal", apply: text(func(c *etcdapi.Config) *string { return &c.User })},
		{name: "password", secret: true, usage: "`PASSWORD` of the user; anybody on the machine can read it", apply: text(func(c *etcdapi.Config) *string { return &c.Password })},
		{name: "password-file", ours: true, usage: "`FILE` that holds the password", apply: text(func(c *etcdapi.Config) *string { return &c.PasswordFile })},
		{name: "auth-jwt-token", secret: true, usage: "`TOKEN` instead of a user and a password", apply: text(func(c *etcdapi.Config) *string { return &c.Token })},
		{name: "dial-timeout", value: "2s", usage: "how long connecting may take, a `DURATION`", apply: duration(func(c *etcdapi.Config) *time.Duration { return &c.DialTimeout })},
		{name: "command-timeout", value: "5s", usage: "how long a request may take, a `DURATION`", apply: duration(func(c *etcdapi.Config) *time.Duration { return &c.CommandTimeout })},
		{name: "keepalive-time", value: "2s", usage: "silence before the connection is probed, a `DURATION`", apply: duration(func(c *etcdapi.Config) *time.Duration { return &c.KeepAliveTime })},
		{name: "keepalive-timeout", value: "6s", usage: "how long a probe may take, a `DURATION`", apply: duration(func(c *etcdapi.Config) *time.Duration { return &c.KeepAliveTimeout })},
		{name: "max-request-bytes", value: "1572864", usage: "`BYTES` of the largest request; set it to the server's", apply: count(func(c *etcdapi.Config) *int { return &c.MaxRequestBytes })},
		{name: "max-recv-bytes", value: "2147483647", usage: "`BYTES` of the largest answer", apply: count(func(c *etcdapi.Config) *int { return &c.MaxCallRecvBytes })},
		{name: "max-txn-ops", value: "128", ours: true, usage: "`COUNT` of operations in a transaction; set it to the server's", apply: count(func(c *etcdapi.Config) *int { return &c.MaxTxnOps })},
	}
}

// connectionFlags are the settings as flags, and --embedded.
func connectionFlags() []cli.Flag {
	list := []cli.Flag{&cli.BoolFlag{Name: "embedded", Usage: "use a throw-away etcd inside this process"}}
	for _, s := range settings() {
		var aliases []string
		if s.alias != "" {
			aliases = []string{s.alias}
		}
		usage := s.usage
		if s.value != "" && s.value != "false" && len(s.value) < 8 {
			usage += " (default " + s.value + ")"
		}
		switch {
		case s.name == "endpoints":
			list = append(list, &cli.StringSliceFlag{Name: s.name, Usage: usage})
		case s.value == "true" || s.value == "false":
			list = append(list, &cli.BoolFlag{Name: s.name, Aliases: aliases, Usage: usage})
		default:
			list = append(list, &cli.StringFlag{Name: s.name, Aliases: aliases, Usage: usage})
		}
	}
	return list
}

// variable is etcdctl's variable for the setting, "" when it has none.
func (s setting) variable() string {
	if s.ours {
		return ""
	}
	return "ETCDCTL_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

// said is a setting with what was said about it.
type said struct {
	setting
	value  string
	source string // "--endpoints", "ETCDCTL_ENDPOINTS", "default"
}

func (s said) isDefault() bool { return s.source == "default" }

// resolve finds out what was said: flags win over variables. An empty variable says
// nothing, as with etcdctl; an empty flag is refused, for it comes from a variable of a
// shell script that was not set.
func (p *program) resolve(x *cli.Context) ([]said, error) {
	var list []said
	for _, s := range settings() {
		r := said{setting: s, value: s.value, source: "default"}
		if v, set := lookup(x, s.name); set {
			if v == "" {
				return nil, usageErrorf("--%s is empty", s.name).withHint("leave it out, or give it a value")
			}
			r.value, r.source = v, "--"+s.name
		} else if v := p.env(s.variable()); v != "" {
			r.value, r.source = v, s.variable()
		}
		list = append(list, r)
	}
	return list, nil
}

// config makes a client's configuration of what was said.
func config(list []said) (etcdapi.Config, error) {
	var c etcdapi.Config
	for _, s := range list {
		if s.value == "" || s.isDefault() && s.name != "insecure-discovery" && s.name != "insecure-transport" {
			continue
		}
		if err := s.apply(&c, s.value); err != nil {
			value := strconv.Quote(s.value)
			if s.secret {
				value = ""
			}
			return c, usageErrorf("%s %s: %v", s.source, value, err)
		}
	}
	if err := c.Validate(); err != nil {
		return c, &codedError{code: exitUsage, err: err}
	}
	return c, nil
}

// env looks a variable up.
func (p *program) env(name string) string {
	if name == "" {
		return ""
	}
	for i := len(p.streams.Environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(p.streams.Environ[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// etcdctlOnly are variables that mean something to etcdctl and nothing to a connection.
var etcdctlOnly = []string{"ETCDCTL_API", "ETCDCTL_DEBUG", "ETCDCTL_HEX", "ETCDCTL_WRITE_OUT", "ETCDCTL_WATCH_KEY", "ETCDCTL_WATCH_RANGE_END"}

// strangers lists the ETCDCTL_ variables that nobody reads, each with the one that was
// probably meant.
func (p *program) strangers() (list [][2]string) {
	var known []string
	for _, s := range settings() {
		if v := s.variable(); v != "" {
			known = append(known, v)
		}
	}
	for _, pair := range p.streams.Environ {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "ETCDCTL_") || slices.Contains(known, name) || slices.Contains(etcdctlOnly, name) {
			continue
		}
		near := runtime.Nearest(strings.TrimPrefix(name, "ETCDCTL_"), trimmed(known))
		list = append(list, [2]string{name, near})
	}
	return list
}

// trimmed takes the prefix off: with it everything is near to everything. Nearest
// compares with lower case.
func trimmed(known []string) []string {
	var list []string
	for _, k := range known {
		list = append(list, strings.ToLower(strings.TrimPrefix(k, "ETCDCTL_")))
	}
	return list
}

func text(field func(*etcdapi.Config) *string) func(*etcdapi.Config, string) error {
	return func(c *etcdapi.Config, v string) error {
		*field(c) = v
		return nil
	}
}

func yes(field func(*etcdapi.Config) *bool) func(*etcdapi.Config, string) error {
	return func(c *etcdapi.Config, v string) error {
		b, err := strconv.ParseBool(v)
		if err != nil {
			return fmt.Errorf("it is true or false")
		}
		*field(c) = b
		return nil
	}
}

func duration(field func(*etcdapi.Config) *time.Duration) func(*etcdapi.Config, string) error {
	return func(c *etcdapi.Config, v string) (err error) {
		*field(c), err = parseDuration(v)
		return err
	}
}

func count(field func(*etcdapi.Config) *int) func(*etcdapi.Config, string) error {
	return func(c *etcdapi.Config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return fmt.Errorf("not a whole number")
		}
		*field(c) = n
		return nil
	}
}

// applyEndpoints takes a list as people write it: with commas or spaces, a slash at the
// end. Endpoints with and without TLS cannot be mixed: the first one decides for all.
func applyEndpoints(c *etcdapi.Config, v string) error {
	secure := map[bool]string{}
	for _, ep := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }) {
		if scheme, rest, ok := strings.Cut(ep, "://"); ok && !strings.HasPrefix(scheme, "unix") {
			ep = strings.ToLower(scheme) + "://" + strings.TrimRight(rest, "/")
		}
		if scheme, _, ok := strings.Cut(ep, ":"); ok && slices.Contains([]string{"http", "https", "unix", "unixs"}, scheme) {
			secure[strings.HasSuffix(scheme, "s")] = ep
		}
		c.Endpoints = append(c.Endpoints, ep)
	}
	switch {
	case len(c.Endpoints) == 0:
		return fmt.Errorf("no endpoint is in it")
	case len(secure) == 2:
		return fmt.Errorf("%s is with TLS and %s without: all must be one or the other", secure[true], secure[false])
	}
	return nil
}
