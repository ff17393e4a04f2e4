package main

import (
	"fmt"
	"slices"
	"time"
)

// costs are the ratios, round by round, of what our side took to what theirs did: less is better.
func costs(ours, theirs []float64) []float64 {
	r := make([]float64, len(ours))
	for i := range ours {
		r[i] = ours[i] / theirs[i]
	}
	return r
}

// rates are the ratios, round by round, of how fast our side was to how fast theirs was, from the time
// that each took for the same work: more is better.
func rates(ours, theirs []float64) []float64 { return costs(theirs, ours) }

// quantile is the value below which the fraction q of the values lies, interpolated.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// goal is what a figure is to reach; the zero value is none.
type goal struct {
	sign  string // "≥" or "≤"
	bound float64
	show  func(v float64) string
}

func atLeast(bound float64) goal { return goal{"≥", bound, times} }
func atMost(bound float64) goal  { return goal{"≤", bound, times} }

// verdict is the goal and whether v reaches it.
func (g goal) verdict(v float64) string {
	if g.sign == "" {
		return "–"
	}
	text := g.sign + " " + g.show(g.bound)
	if g.sign == "≥" && v >= g.bound || g.sign == "≤" && v <= g.bound {
		return text + ": met"
	}
	return text + ": **missed**"
}

func times(v float64) string { return fmt.Sprintf("%.2f", v) }

// duration shows seconds.
func duration(v float64) string {
	d := time.Duration(v * float64(time.Second))
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", v*1e6)
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", v*1e3)
	}
	return fmt.Sprintf("%.0f ms", v*1e3)
}

// perSecond shows the seconds that n pieces of work took as a rate.
func perSecond(n int) func(v float64) string {
	return func(v float64) string { return fmt.Sprintf("%.0f/s", float64(n)/v) }
}

// mebibytes and kibibytes show bytes.
func mebibytes(v float64) string { return fmt.Sprintf("%.1f MiB", v/(1<<20)) }
func kibibytes(v float64) string { return fmt.Sprintf("%.1f KiB", v/(1<<10)) }
