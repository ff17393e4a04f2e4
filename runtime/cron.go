package runtime

import (
	"errors"
	"time"

	"github.com/robfig/cron/v3"
	lua "github.com/yuin/gopher-lua"
)

// cronParser reads five fields (minute first), six with seconds first, and
// descriptors such as @hourly and @every 90s.
var cronParser = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

type cronOptions struct {
	Zone string `lua:"zone"`
}

func (m *taskModule) cron(L *lua.LState) int {
	var spec string
	var fn *lua.LFunction
	var o cronOptions
	Unpack(L, "task.cron", "spec", &spec, "fn", &fn, "opts?", &o)
	zone := time.Local
	if o.Zone != "" {
		var err error
		if zone, err = time.LoadLocation(o.Zone); err != nil {
			Raise(L, Errorf(CodeInvalidArgument, "task.cron", "task.cron: unknown time zone %q", o.Zone).
				WithHint(`names are those of the tz database: "Europe/Berlin", "UTC"`))
		}
	}
	schedule, err := parseCron(spec)
	if err != nil {
		Raise(L, Errorf(CodeInvalidArgument, "task.cron", "task.cron: %q is no schedule: %v", spec, err).
			WithHint("five fields: minute hour day month weekday; six with seconds first; or @hourly, @every 90s"))
	}
	L.Push(m.task.New(m.repeat(L, "task.cron", fn, false, func(now time.Time) time.Time {
		return schedule.Next(now.In(zone))
	})))
	return 1
}

// parseCron refuses a schedule that never comes (30 February).
func parseCron(spec string) (cron.Schedule, error) {
	s, err := cronParser.Parse(spec)
	if err != nil {
		return nil, err
	}
	if s.Next(time.Now()).IsZero() {
		return nil, errors.New("it never comes within five years")
	}
	return s, nil
}
