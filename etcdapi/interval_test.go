package etcdapi_test

import (
	"bytes"
	"strings"
	"testing"

	"etcdlua/etcdapi"
)

func TestPrefixInterval(t *testing.T) {
	for _, test := range []struct{ prefix, key, end string }{
		{"a", "a", "b"},
		{"/app/", "/app/", "/app0"},
		{"a\xff", "a\xff", "b"},
		{"a\xff\xff", "a\xff\xff", "b"},
		{"a\xfe", "a\xfe", "a\xff"},
		{"\xff", "\xff", "\x00"},
		{"\xff\xff", "\xff\xff", "\x00"},
		{"", "\x00", "\x00"},
		{"a\x00", "a\x00", "a\x01"},
	} {
		iv := etcdapi.PrefixInterval(test.prefix)
		if string(iv.Key()) != test.key || string(iv.End()) != test.end {
			t.Errorf("prefix %q: [%q, %q), want [%q, %q)", test.prefix, iv.Key(), iv.End(), test.key, test.end)
		}
	}
}

func TestRangeInterval(t *testing.T) {
	for _, test := range []struct {
		from, to, key, end string
		empty              bool
	}{
		{"a", "c", "a", "c", false},
		{"a", "", "a", "\x00", false},
		{"", "b", "\x00", "b", false},
		{"c", "a", "c", "a", true},
		{"c", "c", "c", "c", true},
	} {
		iv := etcdapi.RangeInterval(test.from, test.to)
		if string(iv.Key()) != test.key || string(iv.End()) != test.end || iv.Empty() != test.empty {
			t.Errorf("[%q, %q): [%q, %q), empty %v", test.from, test.to, iv.Key(), iv.End(), iv.Empty())
		}
	}
}

// FuzzPrefixInterval: a key is in the interval exactly when it has the prefix, by Contains and by what
// is sent to etcd.
func FuzzPrefixInterval(f *testing.F) {
	for _, seed := range [][2]string{{"", "x"}, {"a", "a"}, {"a\xff", "b"}, {"\xff\xff", "\xff\xff\x00"}, {"a\xff", "a\xff\xff"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, prefix, key string) {
		if key == "" {
			return
		}
		for _, key := range []string{key, prefix + key} {
			iv := etcdapi.PrefixInterval(prefix)
			want := strings.HasPrefix(key, prefix)
			if iv.Contains(key) != want {
				t.Errorf("prefix %q contains %q: %v", prefix, key, !want)
			}
			from, end := iv.Key(), iv.End()
			sent := bytes.Compare([]byte(key), from) >= 0 && (string(end) == "\x00" || bytes.Compare([]byte(key), end) < 0)
			if sent != want {
				t.Errorf("prefix %q sent as [%q, %q) has %q: %v", prefix, from, end, key, sent)
			}
		}
	})
}
