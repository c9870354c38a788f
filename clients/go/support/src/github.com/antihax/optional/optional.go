// Package optional replaces github.com/antihax/optional, which Debian does not package: the types that the generated
// client uses for parameters that may be left out.
package optional

import "time"

type Bool struct {
	set   bool
	value bool
}

func NewBool(value bool) Bool { return Bool{true, value} }

func (o Bool) IsSet() bool { return o.set }

func (o Bool) Value() bool { return o.value }

type Int32 struct {
	set   bool
	value int32
}

func NewInt32(value int32) Int32 { return Int32{true, value} }

func (o Int32) IsSet() bool { return o.set }

func (o Int32) Value() int32 { return o.value }

type Int64 struct {
	set   bool
	value int64
}

func NewInt64(value int64) Int64 { return Int64{true, value} }

func (o Int64) IsSet() bool { return o.set }

func (o Int64) Value() int64 { return o.value }

type String struct {
	set   bool
	value string
}

func NewString(value string) String { return String{true, value} }

func (o String) IsSet() bool { return o.set }

func (o String) Value() string { return o.value }

type Time struct {
	set   bool
	value time.Time
}

func NewTime(value time.Time) Time { return Time{true, value} }

func (o Time) IsSet() bool { return o.set }

func (o Time) Value() time.Time { return o.value }

type Interface struct {
	set   bool
	value interface{}
}

func NewInterface(value interface{}) Interface { return Interface{true, value} }

func (o Interface) IsSet() bool { return o.set }

func (o Interface) Value() interface{} { return o.value }
