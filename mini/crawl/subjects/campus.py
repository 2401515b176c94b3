"""What sites of mathematics say besides mathematics: who they are, when they meet, how to write to them."""

from mini.crawl.subjects.en import COMMON
from mini.crawl.subjects.zh import COMMON_ZH
from mini.text.grammar import Vertical, lines

CAMPUS = Vertical(
    titles=lines(
        """
        About this site
        Dates for {month}
        Office hours and rooms
        House rules, version {n}
        """
    ),
    headings=lines(
        """
        Dates
        Rules
        Contact
        """
    ),
    sentences=lines(
        """
        Office hours of {name} {last} are on {weekday} at {clock} in room {k}.
        The examination takes place on {month} {day} and lasts {tens} minutes.
        Bring your student card and a pen; calculators are not needed.
        Enrolment closes on {weekday}, {month} {day}.
        {m} seats are free, so please write to {name} before {month}.
        This site was begun in {year} by {name} {last} and is kept by volunteers.
        Please be polite, and search the archive before you post.
        Messages without a subject line may be removed after {n} days.
        The tutor for group {n} is {name} {last} from {town}.
        The lecture hall in {town} is closed on {weekday} because of repairs.
        Old pages were moved in {month}; tell us if a link is broken.
        We thank {last} and {last} for {n} years of help with this site.
        Accounts that were not used since {year} have been closed.
        Marks are sent by mail within {m} days.
        """
    ),
    words=COMMON,
)

CAMPUS_ZH = Vertical(
    titles=lines(
        """
        关于本站
        {month}活动安排
        版规（第{n}版）
        联系我们
        """
    ),
    headings=lines(
        """
        安排
        说明
        联系方式
        """
    ),
    sentences=lines(
        """
        本站由{name}于{year}年创办，现在由{n}位志愿者维护。
        发帖前请先搜索，相同的内容会被合并。
        {name}老师的答疑时间是每周{clock}，地点在{town}教学楼{k}室。
        新会员注册后需等待{n}天才能发言。
        {month}{day}日系统维护，届时无法访问。
        如发现链接失效，请给{name}写信。
        请使用礼貌用语，违者禁言{n}天。
        活动报名截止到{month}{day}日，名额{m}人。
        感谢{name}和{name}多年来的帮助。
        旧版页面已搬到新服务器，请更新收藏。
        资料下载需要{n}个积分，每天登录可得积分。
        {town}分校的教室本月停用，请改到{town}上课。
        """
    ),
    words=COMMON_ZH,
)

SUBJECTS_CAMPUS = {"campus": CAMPUS, "campus_zh": CAMPUS_ZH}
