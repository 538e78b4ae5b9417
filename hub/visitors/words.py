"""What the visitors' page says, in Chinese and in English. Pure; no other module has words of that page.

The text that a visitor agrees to has a version, which is stored with the pass: whoever changes `consent` or
what the page asks for counts `CONSENT` up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Language = Literal["zh", "en"]

CONSENT: Final = "page-1"
"""The version of `Words.consent`; with the language it is what a pass's `consent` says."""


@dataclass(frozen=True, slots=True)
class Words:
    """All words in one language. Texts with ``{}`` have the places that are named in them filled in."""

    language: Language
    html_language: str
    other: Language
    other_name: str
    title: str
    lead: str
    what: str
    visit: str
    visit_hint: str
    tenant_car: str
    tenant_car_hint: str
    name: str
    name_hint: str
    plate: str
    plate_hint: str
    phone: str
    phone_hint: str
    since: str
    until: str
    limits: str
    consent_title: str
    consent: str
    consent_phone: str
    agree: str
    send: str
    mend: str
    unit: str
    kind_label: str
    name_label: str
    reference: str
    sent_title: str
    pending: str
    approved: str
    declined: str
    ended: str
    expired: str
    pending_next: str
    approved_next: str
    declined_next: str
    over_next: str
    keep_link: str
    withdraw: str
    withdraw_sure: str
    withdraw_now: str
    withdrawn_title: str
    withdrawn: str
    gone_title: str
    gone: str
    bad_code_title: str
    bad_code: str
    stale_form: str
    too_often_title: str
    too_often: str
    too_large: str
    busy_title: str
    busy: str
    home: str
    no_kind: str
    no_name: str
    bad_plate: str
    no_plate: str
    bad_phone: str
    bad_time: str
    already_over: str
    too_early: str
    too_long: str
    too_many_waiting: str
    no_consent: str


_ZH: Final = Words(
    language="zh",
    html_language="zh-CN",
    other="en",
    other_name="English",
    title="访客与车辆登记",
    lead="填写后由物业审核，通过后方可生效。",
    what="登记什么",
    visit="来访",
    visit_hint="步行或驾车，最长 7 天",
    tenant_car="住户车辆",
    tenant_car_hint="长期停放，最长一年",
    name="怎么称呼您",
    name_hint="不必是全名，例如：赵女士",
    plate="车牌号",
    plate_hint="没有开车可不填，例如：京A12345",
    phone="手机号",
    phone_hint="可不填，仅用于就本次来访联系您",
    since="开始时间",
    until="结束时间",
    limits="最早可提前 30 天登记。",
    consent_title="个人信息处理告知",
    consent="为登记本次来访并在门口放行，{controller}（联系方式：{contact}）将保存您在此页填写的内容："
    "称呼、车牌号（如有）{phone}、来访的房号和时间。登记的车牌号会与门口摄像机读到的车牌比对。"
    "只有物业的授权人员可以查看，每次查看都留有记录；除法律要求外不会提供给他人，也不作其他用途。"
    "来访结束 {days} 天后自动删除；您可以随时在状态页撤回，撤回后立即删除。"
    "不同意也没有关系：您可以在门岗现场登记，通行待遇相同。",
    consent_phone="、手机号（如填写）",
    agree="我已阅读并同意",
    send="提交登记",
    mend="请修改标出的内容后再提交。",
    unit="房号",
    kind_label="事项",
    name_label="称呼",
    reference="登记编号",
    sent_title="登记状态",
    pending="等待物业审核",
    approved="已通过",
    declined="未通过",
    ended="已提前结束",
    expired="已到期",
    pending_next="物业审核后，本页会显示结果，请稍后刷新。",
    approved_next="在登记的时间内有效。到门口如有疑问，请出示登记编号。",
    declined_next="如有疑问，请联系您要拜访的住户或物业：{contact}。",
    over_next="记录将在 {days} 天后自动删除。",
    keep_link="请收藏本页，这是查看和撤回登记的唯一链接，请勿转发。",
    withdraw="撤回并删除",
    withdraw_sure="您填写的内容会立即删除，已通过的登记也随之失效，且无法恢复。",
    withdraw_now="确认撤回并删除",
    withdrawn_title="已撤回",
    withdrawn="您填写的内容已经删除。",
    gone_title="没有这条登记",
    gone="它可能已被撤回，或在结束后已按期删除。",
    bad_code_title="二维码已失效",
    bad_code="这个二维码已更换或不完整，请向物业或您要拜访的住户索取新的二维码。您也可以在门岗现场登记。",
    stale_form="页面已打开太久，请重新填写后提交。",
    too_often_title="操作太频繁",
    too_often="请 {minutes} 分钟后再试，或在门岗现场登记。",
    too_large="提交的内容太长。",
    busy_title="暂时无法登记",
    busy="系统正忙，请稍后再试，或在门岗现场登记。",
    home="重新登记",
    no_kind="请选择登记什么。",
    no_name="请填写称呼，最多 40 个字。",
    bad_plate="这不像是车牌号，请检查，例如：京A12345。",
    no_plate="登记车辆需要填写车牌号。",
    bad_phone="这不像是电话号码。",
    bad_time="请填写日期和时间。",
    already_over="结束时间要晚于开始时间，且在现在之后。",
    too_early="最早可提前 {days} 天登记。",
    too_long="这类登记最长 {days} 天。",
    too_many_waiting="该房号等待审核的登记太多，请稍后再试或联系物业：{contact}。",
    no_consent="同意后才能提交；不同意请到门岗现场登记。",
)

_EN: Final = Words(
    language="en",
    html_language="en",
    other="zh",
    other_name="中文",
    title="Register a visit or a car",
    lead="The property office looks at each request; it counts once they have approved it.",
    what="What is it?",
    visit="A visit",
    visit_hint="on foot or by car, up to 7 days",
    tenant_car="A tenant's car",
    tenant_car_hint="parked here for longer, up to a year",
    name="What shall we call you?",
    name_hint="Not necessarily your full name, e.g. Ms Zhao",
    plate="Number plate",
    plate_hint="Leave it empty if you come without a car, e.g. 京A12345",
    phone="Telephone",
    phone_hint="Optional, only to reach you about this visit",
    since="From",
    until="Until",
    limits="At most 30 days ahead.",
    consent_title="What happens with your data",
    consent="To register this visit and let you in at the gate, {controller} (contact: {contact}) keeps what "
    "you enter on this page: the name you give, the number plate if there is one{phone}, the unit you visit, "
    "and when. The plate is compared with those that the gate's cameras read. Only authorised staff can see "
    "it, and each look is recorded; it is given to nobody else unless the law demands it, and used for "
    "nothing else. It is erased {days} days after the visit ends; you can withdraw on the status page at "
    "any time, which erases it at once. If you do not agree, register with the guard at the gate: you are "
    "treated just the same.",
    consent_phone=", the telephone number if you enter one",
    agree="I have read this and agree",
    send="Send",
    mend="Please mend what is marked, and send again.",
    unit="Unit",
    kind_label="Request",
    name_label="Name",
    reference="Reference",
    sent_title="Your request",
    pending="Waiting for the property office",
    approved="Approved",
    declined="Not approved",
    ended="Ended early",
    expired="Over",
    pending_next="Once the office has decided, this page says so: look again later.",
    approved_next="It counts in the time below. At the gate, show the reference if you are asked.",
    declined_next="If you have questions, ask the people you visit, or the office: {contact}.",
    over_next="It is erased by itself after {days} days.",
    keep_link="Keep this page: its link is the only way to see and withdraw the request. Do not pass it on.",
    withdraw="Withdraw and erase",
    withdraw_sure="What you entered is erased at once, and an approved request stops counting. "
    "This cannot be undone.",
    withdraw_now="Yes, withdraw and erase",
    withdrawn_title="Withdrawn",
    withdrawn="What you entered has been erased.",
    gone_title="There is no such request",
    gone="It was withdrawn, or was erased some days after its end.",
    bad_code_title="This code no longer works",
    bad_code="It has been replaced, or the link is not complete. Ask the property office or the people you "
    "visit for the new one, or register with the guard at the gate.",
    stale_form="The page was open for too long: please fill it in again.",
    too_often_title="Too many requests",
    too_often="Try again in {minutes} min, or register with the guard at the gate.",
    too_large="What was sent is too long.",
    busy_title="Not possible just now",
    busy="The system is busy. Try again later, or register with the guard at the gate.",
    home="Register again",
    no_kind="Please choose what it is.",
    no_name="Please say what to call you, in at most 40 characters.",
    bad_plate="This does not look like a number plate. Please check it, e.g. 京A12345.",
    no_plate="A car needs its number plate.",
    bad_phone="This does not look like a telephone number.",
    bad_time="Please give a date and a time.",
    already_over="It must end after it begins, and in the future.",
    too_early="Register at most {days} days ahead.",
    too_long="This is for at most {days} days.",
    too_many_waiting="Too many requests of this unit wait: try again later, or ask the office: {contact}.",
    no_consent="It can only be sent if you agree. If you do not, register with the guard at the gate.",
)

WORDS: Final[Mapping[str, Words]] = MappingProxyType({"zh": _ZH, "en": _EN})


def choose(asked: str, accept_language: str) -> Words:
    """The language that was asked for by name, else the browser's first that there is, else Chinese."""
    wishes = [name for _, name in sorted(_wishes(accept_language), reverse=True)]
    return next((WORDS[name] for name in (asked, *wishes) if name in WORDS), _ZH)


def _wishes(header: str) -> list[tuple[tuple[float, int], str]]:
    """RFC 9110 12.5.4: language ranges by weight; among equals the first comes first."""
    wishes = []
    for place, part in enumerate(header[:400].lower().split(",")):
        name, _, rest = part.strip().partition(";")
        weight = rest.strip().removeprefix("q=")
        try:
            sure = float(weight) if weight else 1.0
        except ValueError:
            continue
        if sure > 0:
            wishes.append(((sure, -place), name.partition("-")[0]))
    return wishes
