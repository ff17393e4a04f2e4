package etcdapi

import (
	"fmt"
	"strconv"
	"strings"
)

// LeaseID is a lease. Zero is none. It is written as 16 lower-case hexadecimal digits, as etcdctl does.
type LeaseID int64

// String is the 16 digits.
func (id LeaseID) String() string { return fmt.Sprintf("%016x", uint64(id)) }

// ParseLeaseID reads a lease in hexadecimal, with or without leading zeros. An error has code
// invalid_argument; so has zero, which is no lease.
func ParseLeaseID(s string) (LeaseID, error) {
	n, err := parseHex("lease", s)
	if err == nil && n == 0 {
		err = invalid("", "", "lease %q: zero is no lease", s)
	}
	return LeaseID(n), err
}

// FormatID writes the id of a member or a cluster: lower-case hexadecimal without 0x, as etcdctl does.
func FormatID(id uint64) string { return strconv.FormatUint(id, 16) }

// ParseID reads the id of a member or a cluster. An error has code invalid_argument.
func ParseID(s string) (uint64, error) { return parseHex("id", s) }

func parseHex(what, s string) (uint64, error) {
	digits := strings.TrimLeft(s, "0")
	if s != "" && digits == "" {
		return 0, nil
	}
	if len(digits) > 16 || strings.ContainsAny(digits, "+-_xX") {
		return 0, badHex(what, s)
	}
	n, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		return 0, badHex(what, s)
	}
	return n, nil
}

func badHex(what, s string) error {
	return invalid("", "", "%s %q is not a hexadecimal number of 64 bits", what, shorten(s)).
		hint("write it as etcdctl prints it, without 0x")
}
