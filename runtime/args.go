package runtime

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/xrash/smetrics"
	lua "github.com/yuin/gopher-lua"
)

// maxExact is the largest whole number that a float64 tells from its neighbours.
const maxExact = 1 << 53

// Unpacker is a destination that reads itself from a Lua value. The error says what
// is wrong with the value, without naming function or argument.
type Unpacker interface {
	UnpackLua(L *lua.LState, v lua.LValue) error
}

// Unpack reads the arguments of fn, named as a script writes it ("etcd.get", or
// "lease:revoke" whose first argument is the object), into pairs of name and
// destination:
//
//	runtime.Unpack(L, "etcd.get", "key", &key, "opts?", &o)
//
// A name with "?" is optional: nil or nothing leaves the destination as it is. A
// destination is a pointer to a string (a number is taken as its text), bool,
// int64, int (whole, exact to 2^53), float64, time.Duration (seconds, or "250ms"),
// []string (one string, or a list), lua.LValue (anything), *lua.LFunction,
// *lua.LTable, an [Unpacker], a pointer to one of these (nil when left out), or a
// struct of options: a table whose keys are the fields' `lua` tags. An unknown
// option, a wrong type, a missing or a surplus argument raises invalid_argument
// naming function, argument, what was given and the nearest known name. An optional
// options table before a function may be left out.
func Unpack(L *lua.LState, fn string, pairs ...any) {
	if err := unpack(L, fn, pairs); err != nil {
		Raise(L, err)
	}
}

func unpack(L *lua.LState, fn string, pairs []any) *Error {
	pos := 1
	if strings.IndexByte(fn, ':') >= 0 {
		pos = 2
	} else if err := refuseColon(L, fn); err != nil {
		return err
	}
	top := L.GetTop()
	for i := 0; i < len(pairs); i += 2 {
		name, optional := strings.CutSuffix(pairs[i].(string), "?")
		v := L.Get(pos)
		if any, ok := pairs[i+1].(*lua.LValue); ok && v == lua.LNil && pos <= top {
			*any = v
			pos++
			continue
		}
		if v == lua.LNil {
			if !optional {
				return badArgument(fn, name, "is missing", "").WithHint("usage: %s", usage(fn, pairs))
			}
			pos++
			continue
		}
		if _, isFunc := v.(*lua.LFunction); isFunc && optional && i+2 < len(pairs) && isOptions(pairs[i+1]) {
			continue // the options were left out before a callback
		}
		if err := assign(L, fn, name, pairs[i+1], v); err != nil {
			return err
		}
		pos++
	}
	for ; pos <= top; pos++ {
		if v := L.Get(pos); v != lua.LNil {
			return Errorf(CodeInvalidArgument, fn, "%s: too many arguments: %s was given after the last one",
				fn, describe(L, v)).WithHint("usage: %s", usage(fn, pairs))
		}
	}
	return nil
}

// refuseColon catches etcd:get(…): a module's functions take a dot.
func refuseColon(L *lua.LState, fn string) *Error {
	t, ok := L.Get(1).(*lua.LTable)
	if !ok {
		return nil
	}
	if _, isModule := HostOf(L).dotted[t]; !isModule {
		return nil
	}
	return Errorf(CodeInvalidArgument, fn, "%s was called with a colon: use a dot, %s(…)", fn, fn)
}

func isOptions(dst any) bool {
	if _, ok := dst.(**lua.LTable); ok {
		return true
	}
	t := reflect.TypeOf(dst).Elem()
	return t.Kind() == reflect.Struct
}

func usage(fn string, pairs []any) string {
	var b strings.Builder
	b.WriteString(fn + "(")
	for i := 0; i < len(pairs); i += 2 {
		name, optional := strings.CutSuffix(pairs[i].(string), "?")
		if i > 0 {
			name = ", " + name
		}
		if optional {
			name = "[" + name + "]"
		}
		b.WriteString(name)
	}
	return b.String() + ")"
}

func badArgument(fn, name, what, given string) *Error {
	if given != "" {
		what += ", not " + given
	}
	return Errorf(CodeInvalidArgument, fn, "%s: %s %s", fn, name, what)
}

// assign stores v in dst, or says why it cannot.
func assign(L *lua.LState, fn, name string, dst any, v lua.LValue) *Error {
	bad := func(want string) *Error { return badArgument(fn, name, "must be "+want, describe(L, v)) }
	switch d := dst.(type) {
	case *string:
		if !lua.LVCanConvToString(v) {
			return bad("a string")
		}
		*d = v.String()
	case *bool:
		b, ok := v.(lua.LBool)
		if !ok {
			return bad("true or false")
		}
		*d = bool(b)
	case *int64:
		n, ok := wholeNumber(v)
		if !ok {
			return bad("a whole number")
		}
		*d = n
	case *int:
		n, ok := wholeNumber(v)
		if !ok {
			return bad("a whole number")
		}
		*d = int(n)
	case *float64:
		n, ok := v.(lua.LNumber)
		if !ok {
			return bad("a number")
		}
		*d = float64(n)
	case *time.Duration:
		t, ok := toDuration(v)
		if !ok {
			return bad(`a duration: seconds as a number, or a string such as "250ms" or "1h30m"`)
		}
		*d = t
	case *[]string:
		list, ok := toStrings(L, v)
		if !ok {
			return bad("a string or a list of strings")
		}
		*d = list
	case *lua.LValue:
		*d = v
	case **lua.LFunction:
		f, ok := toFunction(L, v)
		if !ok {
			return bad("a function")
		}
		*d = f
	case **lua.LTable:
		t, ok := v.(*lua.LTable)
		if !ok {
			return bad("a table")
		}
		*d = t
	case Unpacker:
		if err := d.UnpackLua(L, v); err != nil {
			return badArgument(fn, name, err.Error(), "")
		}
	default:
		return assignReflected(L, fn, name, reflect.ValueOf(dst).Elem(), v)
	}
	return nil
}

// assignReflected handles what has no fixed type: options and optional values.
func assignReflected(L *lua.LState, fn, name string, dst reflect.Value, v lua.LValue) *Error {
	switch dst.Kind() {
	case reflect.Pointer:
		p := reflect.New(dst.Type().Elem())
		if err := assign(L, fn, name, p.Interface(), v); err != nil {
			return err
		}
		dst.Set(p)
		return nil
	case reflect.Struct:
		t, ok := v.(*lua.LTable)
		if !ok {
			return badArgument(fn, name, "must be a table of options", describe(L, v))
		}
		return assignOptions(L, fn, dst, t)
	}
	panic(fmt.Sprintf("runtime: %s: argument %s has a destination of type %s", fn, name, dst.Type()))
}

func assignOptions(L *lua.LState, fn string, dst reflect.Value, t *lua.LTable) (bad *Error) {
	fields := optionFields(dst.Type())
	t.ForEach(func(k, v lua.LValue) {
		if bad != nil {
			return
		}
		key, ok := k.(lua.LString)
		if !ok {
			bad = Errorf(CodeInvalidArgument, fn, "%s: options are named, but the table has the entry [%s]", fn, k.String())
			return
		}
		index, ok := fields.byName[string(key)]
		if !ok {
			bad = unknownName(fn, "option", string(key), fields.names)
			return
		}
		bad = assign(L, fn, "option "+string(key), dst.FieldByIndex(index).Addr().Interface(), v)
	})
	return bad
}

// unknownName is the error for a name that is not in known, with the nearest one.
func unknownName(fn, what, name string, known []string) *Error {
	e := Errorf(CodeInvalidArgument, fn, "%s: unknown %s %q", fn, what, name)
	if near := Nearest(name, known); near != "" {
		e.Message += fmt.Sprintf(" (did you mean %q?)", near)
	}
	return e.WithHint("known %ss: %s", what, strings.Join(known, ", "))
}

// Nearest returns the entry of known that name is most likely a slip of, or "".
func Nearest(name string, known []string) string {
	best, bestCost := "", len(name)/3+2
	for _, k := range known {
		if cost := smetrics.WagnerFischer(strings.ToLower(name), k, 1, 1, 1); cost < bestCost {
			best, bestCost = k, cost
		}
	}
	return best
}

type optionSet struct {
	byName map[string][]int
	names  []string
}

// optionSets caches the fields of option structs; they never change.
var optionSets sync.Map // reflect.Type -> *optionSet

func optionFields(t reflect.Type) *optionSet {
	if got, ok := optionSets.Load(t); ok {
		return got.(*optionSet)
	}
	s := &optionSet{byName: map[string][]int{}}
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("lua"); name != "" {
			s.byName[name] = f.Index
			s.names = append(s.names, name)
		}
	}
	got, _ := optionSets.LoadOrStore(t, s)
	return got.(*optionSet)
}
