"""Chinese subjects of the built-in web that are not mathematics."""

from mini.text.grammar import Vertical, lexicon, lines

COMMON_ZH = lexicon(
    """
    name: 小林 | 阿杰 | 周敏 | 陈伯 | 王芳 | 老徐 | 何静 | 小唐 | 孙磊 | 赵姨 | 郭涛 | 马玲
    town: 青石镇 | 临河县 | 南浦 | 东岭市 | 白沙湾 | 柳溪村 | 云台 | 长汀 | 北桥 | 望江
    month: 一月 | 二月 | 三月 | 四月 | 五月 | 六月 | 七月 | 八月 | 九月 | 十月 | 十一月 | 腊月
    adj: 清爽的 | 老式的 | 热闹的 | 安静的 | 便宜的 | 普通的 | 结实的 | 漂亮的 | 简单的
    """
)

FOOD_ZH = Vertical(
    titles=lines(
        """
        {dish}的家常做法
        {m}分钟学会{dish}
        {name}教你做{dish}和{dish}
        """
    ),
    headings=lines(
        """
        用料
        做法
        小贴士
        """
    ),
    sentences=lines(
        """
        锅里倒{n}勺油，烧到七成热，放入{food}翻炒{n}分钟。
        {food}切成{n}厘米的方块，用盐腌{m}分钟。
        加{tens}毫升清水，大火煮开后转小火炖{m}分钟。
        把{food}和{food}按{n}比{n}的比例混合均匀。
        调料有生抽{n}勺、老抽{n}勺、糖{n}克。
        这道{dish}是{name}从{town}学来的，味道很正。
        出锅前撒一把葱花，再淋{n}滴香油。
        面团发酵{m}分钟，体积变成原来的两倍就可以了。
        一共做了{n}份，每份大约{k}千卡。
        {food}在{month}最新鲜，菜市场{n}块钱一斤。
        蒸{m}分钟后关火，再焖{n}分钟。
        第一次做的朋友可以减少{food}的数量。
        家里有{n}口人，{tens}克{food}刚好够吃。
        问题常常出在火候上，答案就是多试几次。
        """
    ),
    rows=lines(
        """
        {food} {tens}克
        {food} {n}个
        清水 {tens}毫升
        """
    ),
    words=COMMON_ZH
    | lexicon(
        """
        dish: 番茄炒蛋 | 红烧排骨 | 酸菜鱼 | 葱油饼 | 冬瓜汤 | 手擀面 | 糖醋里脊 | 南瓜粥 | 豆角焖面 | 蒸水蛋
        food: 土豆 | 牛肉 | 豆腐 | 木耳 | 白菜 | 虾仁 | 莲藕 | 糯米 | 香菇 | 青椒 | 鸡腿 | 茄子
        """
    ),
)

NEWS_ZH = Vertical(
    titles=lines(
        """
        {town}{topic}工程{month}开工
        {town}公布{topic}数据
        {topic}费用上涨{percent}，居民怎么看
        """
    ),
    headings=lines(
        """
        最新进展
        居民反应
        相关数据
        """
    ),
    sentences=lines(
        """
        {town}{month}{day}日宣布，今年将投入{k}万元用于{topic}。
        据统计，{topic}的总费用比去年增加了{percent}。
        记者在{town}看到，工地上有{m}名工人正在施工。
        负责人{name}表示，项目共分{n}期，预计{year}年前完成。
        参加投票的{k}人中，{percent}表示支持。
        目前已有{m}个小区完成改造，平均每户补贴{k}元。
        {name}说，从{town}到市区原来要{m}分钟，现在只要{n}分钟。
        专家认为，{topic}问题的根源在于规划不足。
        {month}的降雨量达到{k}毫米，为近{n}年最高。
        对于价格之差，有关部门给出了说明。
        车站每天发车{m}班，每班可坐{m}人。
        下一次会议将于{day}日上午在{town}举行。
        警方提醒市民，出行时请注意{topic}安全。
        这一结果证明，{adj}办法也能解决大问题。
        """
    ),
    words=COMMON_ZH
    | lexicon(
        "topic: 公交 | 供水 | 旧楼改造 | 垃圾分类 | 养老 | 图书馆 | 防洪 | 停车 | 学校食堂 | 绿化"
    ),
)

SHOP_ZH = Vertical(
    titles=lines(
        """
        {thing} {code} 特价{price}元
        {adj}{thing}，{n}件套
        {thing}买{n}送1
        """
    ),
    headings=lines(
        """
        商品详情
        规格参数
        买家评价
        """
    ),
    sentences=lines(
        """
        本款{thing}原价{price}元，现价{price}元，折扣仅限{month}。
        满{tens}元减{n}元，可与优惠券同时使用。
        尺寸为{m}乘{m}厘米，误差在{n}毫米以内。
        {town}仓库发货，一般{n}天送到。
        累计售出{k}件，好评率{percent}。
        {name}评价：{adj}{thing}，包装完整，物流很快。
        定时功能可设置{m}分钟，到时自动关机。
        每箱{m}个，每个重{k}克。
        购买{n}件以上，每件再便宜{n}元。
        支持{n}天无理由退货，请保留购物证明。
        额定功率{k}瓦，每天大约用电{n}度。
        颜色有{n}种，下单时请在备注里写明。
        两件之和超过{tens}元即可免运费。
        本店{year}年开业，产品全部来自{town}。
        """
    ),
    rows=lines(
        """
        重量 | {k}克
        价格 | {price}元
        型号 | {code}
        """
    ),
    words=COMMON_ZH
    | lexicon(
        "thing: 电饭锅 | 台灯 | 雨伞 | 保温杯 | 书包 | 拖鞋 | 收纳箱 | 吹风机 | 毛巾 | 办公椅 | 水壶"
    ),
)

STORIES_ZH = Vertical(
    titles=lines(
        """
        {town}的{place}
        {name}的{object}
        {month}的{weather}
        """
    ),
    headings=lines(
        """
        第{n}章
        往事
        回家
        """
    ),
    sentences=lines(
        """
        {name}站在{place}门口，望着{town}的方向，半天没有说话。
        那年{month}，{weather}下得很大，{place}的灯一直亮着。
        “你怎么现在才来？”{name}把{object}放在桌上。
        {object}是外婆留下来的，已经有{m}年了。
        从{place}到河边有{n}里路，他每天都要走一遍。
        没有人知道{name}为什么离开{town}。
        {weather}过后，街上只剩下{adj}声音。
        她数了数台阶，一共{m}级，和小时候一样。
        {name}笑了笑，说这个问题没有答案。
        信里只有{n}行字，却看了一个晚上。
        {place}关门以后，{name}就再也没有提起{object}。
        他们在{place}旁边种了{n}棵树。
        火车在{clock}开出{town}，窗外全是{weather}。
        {name}想起父亲的话，心里忽然明白了许多。
        """
    ),
    words=COMMON_ZH
    | lexicon(
        """
        place: 老茶馆 | 码头 | 裁缝铺 | 邮局 | 戏台 | 书店 | 磨坊 | 车站
        object: 怀表 | 旧照片 | 木箱 | 口琴 | 油纸伞 | 日记本 | 铜锁
        weather: 雨 | 雪 | 雾 | 大风 | 霜
        """
    ),
)

SPORT_ZH = Vertical(
    titles=lines(
        """
        {team}{score}战胜{team}
        {month}联赛积分榜
        {name}打破{town}纪录
        """
    ),
    headings=lines(
        """
        比赛过程
        技术统计
        赛后采访
        """
    ),
    sentences=lines(
        """
        {team}在主场以{score}击败{team}，现场观众{k}人。
        {name}在第{m}分钟打入一球，这是他本赛季第{n}个进球。
        上半场双方只差{n}分，下半场差距扩大到{m}分。
        球队目前{n}胜{n}平，积{m}分，排名第{n}。
        {name}以{decimal}秒的成绩获得冠军。
        教练{name}认为，防守是取胜的关键。
        下一轮比赛将于{month}{day}日在{town}进行。
        全场比赛共有{n}张黄牌，控球率为{percent}。
        {name}拿下{m}分和{n}个篮板，命中率{percent}。
        这场平局使{team}无缘前{n}名。
        {team}最近{n}个客场全部输球。
        决赛采用{n}局{n}胜制，门票每张{tens}元。
        """
    ),
    words=COMMON_ZH | lexicon("team: 东岭队 | 青石队 | 临河队 | 望江队 | 云台队 | 北桥队 | 白沙队"),
)

EXAMS_ZH = Vertical(
    titles=lines(
        """
        {town}中学{year}年招生通知
        关于{month}考试安排的通知
        {town}教育局：{year}年录取分数公布
        """
    ),
    headings=lines(
        """
        时间安排
        注意事项
        联系方式
        """
    ),
    sentences=lines(
        """
        数学考试时间为{month}{day}日上午，满分150分，时长120分钟。
        语文、数学、英语各占{m}分，体育占{n}分。
        今年共有{k}名学生报名，比去年多{m}人。
        请考生提前{m}分钟进入考场，带好准考证和身份证明。
        {town}中学计划招生{k}人，其中艺术班{m}人。
        录取分数线为{k}分，平均分为{m}分。
        家长会定于{day}日在{town}中学礼堂举行，由{name}老师主持。
        成绩公布后，{n}天内可以申请查分。
        答题卡请用铅笔填写，作图题除外。
        校车每天{n}班，车费每学期{k}元。
        {name}老师获得{year}年优秀教师称号。
        课外活动包括足球、合唱和{n}个兴趣小组。
        """
    ),
    words=COMMON_ZH,
)

SUBJECTS_ZH = {
    "food_zh": FOOD_ZH,
    "news_zh": NEWS_ZH,
    "shop_zh": SHOP_ZH,
    "stories_zh": STORIES_ZH,
    "sport_zh": SPORT_ZH,
    "exams_zh": EXAMS_ZH,
}
