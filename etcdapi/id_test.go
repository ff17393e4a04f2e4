package etcdapi_test

import (
	"testing"

	"etcdlua/etcdapi"
)

func TestLeaseID(t *testing.T) {
	for text, want := range map[string]etcdapi.LeaseID{
		"1": 1, "0000000000000001": 1, "00000000000000000000001": 1, "7fffffffffffffff": 1<<63 - 1,
		"694d8f1c2a3b4c5d": 0x694d8f1c2a3b4c5d, "694D8F1C2A3B4C5D": 0x694d8f1c2a3b4c5d, "ffffffffffffffff": -1,
	} {
		if id, err := etcdapi.ParseLeaseID(text); err != nil || id != want {
			t.Errorf("%q: %v, %v", text, id, err)
		}
	}
	for _, text := range []string{"", "0", "000", "x", "0x1", "-1", "+1", "1_0", " 1", "10000000000000000", "1.5"} {
		if id, err := etcdapi.ParseLeaseID(text); etcdapi.CodeOf(err) != etcdapi.CodeInvalidArgument {
			t.Errorf("%q: %v, %v", text, id, err)
		}
	}
	if got := etcdapi.LeaseID(0x2a).String(); got != "000000000000002a" {
		t.Errorf("42 is written as %q", got)
	}
	if id, err := etcdapi.ParseID("8e9e05c52164694d"); err != nil || etcdapi.FormatID(id) != "8e9e05c52164694d" {
		t.Errorf("id: %x, %v", id, err)
	}
	if _, err := etcdapi.ParseID("member"); etcdapi.CodeOf(err) != etcdapi.CodeInvalidArgument {
		t.Errorf("an id that is none: %v", err)
	}
}

func FuzzParseLeaseID(f *testing.F) {
	f.Add("2a", int64(42))
	f.Add("0x", int64(-1))
	f.Fuzz(func(t *testing.T, text string, n int64) {
		if id, err := etcdapi.ParseLeaseID(text); err == nil {
			if again, err := etcdapi.ParseLeaseID(id.String()); err != nil || again != id {
				t.Errorf("%q: %v, then %v, %v", text, id, again, err)
			}
		} else if etcdapi.CodeOf(err) != etcdapi.CodeInvalidArgument {
			t.Errorf("%q: %v", text, err)
		}
		if id, err := etcdapi.ParseLeaseID("00" + etcdapi.LeaseID(n).String()); n != 0 && (err != nil || id != etcdapi.LeaseID(n)) {
			t.Errorf("%d: %v, %v", n, id, err)
		}
	})
}
