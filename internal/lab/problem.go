package lab

import (
	"errors"
	"fmt"
	"time"

	"estab/internal/trace"
	"estab/tcp"
)

// Problem is an error that speaks both languages.
type Problem struct{ Text }

// Error is what an English reader is told.
func (p *Problem) Error() string { return p.EN }

// problem makes a Problem; both texts take the same arguments, each in its
// language if it speaks several.
func problem(en, zh string, args ...any) error {
	return &Problem{Text{fmt.Sprintf(en, in(English, args)...), fmt.Sprintf(zh, in(Chinese, args)...)}}
}

func in(l Lang, args []any) []any {
	all := make([]any, len(args))
	for i, x := range args {
		switch x := x.(type) {
		case Text:
			all[i] = x.In(l)
		case tcp.Error:
			all[i] = Phrase(x.Error()).In(l)
		case bool:
			all[i] = map[bool]Text{true: t("yes", "是"), false: t("no", "否")}[x].In(l)
		case time.Duration:
			all[i] = trace.Duration(x)
		default:
			all[i] = x
		}
	}
	return all
}

// TextOf is what an error says. One that speaks English only says it twice.
func TextOf(err error) Text {
	var p *Problem
	if errors.As(err, &p) {
		return p.Text
	}
	return same(err.Error())
}

// Unknown says that there is no such scenario, and which may be meant.
func Unknown(name string) error {
	return problem("unknown scenario %q: did you mean %s?", "没有名为 %q 的场景：是不是 %s？", name, Nearest(name))
}

// UnknownParam says that there is no such parameter.
func UnknownParam(name string) error {
	return problem("unknown parameter %q", "没有名为 %q 的参数", name)
}

// BadLink says that a part of a link makes no sense.
func BadLink(part string) error {
	return problem("the link has a part that makes no sense: %s", "链接中有一处看不懂：%s", part)
}

// Broke says that the engine itself went wrong.
func Broke(p any) error {
	return problem("this experiment broke the engine, which is a mistake of ours: %v", "这个实验使引擎出错，这是我们的错误：%v", p)
}
