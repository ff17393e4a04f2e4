package etcdapi

// Interval is the keys from From on, before To: [From, To). An empty To is no upper end, and an empty
// From is the first key there is: the zero Interval is every key.
type Interval struct {
	From, To string
}

// PrefixInterval is the keys that begin with p. The upper end is p with its last byte that can be
// raised raised by one, and what follows cut off: a prefix that ends in 0xFF is right, one of nothing
// but 0xFF has no upper end, and an empty one is every key.
func PrefixInterval(p string) Interval {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] < 0xff {
			return Interval{From: p, To: p[:i] + string([]byte{p[i] + 1})}
		}
	}
	return Interval{From: p}
}

// RangeInterval is [from, to); without to, from `from` on.
func RangeInterval(from, to string) Interval { return Interval{From: from, To: to} }

// Contains tells whether key is in the interval.
func (iv Interval) Contains(key string) bool {
	return key >= iv.From && (iv.To == "" || key < iv.To)
}

// Empty tells that no key can be in the interval.
func (iv Interval) Empty() bool { return iv.To != "" && iv.To <= iv.From }

// key and end are the two fields of a request. etcd has no empty key, so that the first key there can
// be is "\x00"; as the end of a range "\x00" means "no end".
func (iv Interval) key() []byte {
	if iv.From == "" {
		return []byte{0}
	}
	return []byte(iv.From)
}

func (iv Interval) end() []byte {
	if iv.To == "" {
		return []byte{0}
	}
	return []byte(iv.To)
}
