# 中文句库。The Chinese phrase bank; the rules stand at the head of en.ftl. Full-width punctuation, and the measure
# words 件 (goods), 次 (times), 人 and 位 (people), 天 (days). $item comes with its quotation marks, $times with its measure word.

repeat_purchase-causal =
    .a = 因为你之前买过这件商品。
    .b = 你之前买过这件商品，所以再次推荐。
    .c = 推荐这件商品，是因为你以前买过。
    .d = 之所以推荐，是因为你买过这件商品。
    .e = 你以前买过这件商品，因此出现在这里。
    .f = 由于你买过这件商品，所以再次推荐给你。

repeat_purchase-causal-many =
    .a = 因为这件商品你买过{ $times }。
    .b = 你买过{ $times }这件商品，所以再次推荐。
    .c = 推荐这件商品，是因为你买过{ $times }。
    .d = 之所以推荐，是因为你买过{ $times }。
    .e = 这件商品你买过{ $times }，因此出现在这里。
    .f = 由于这件商品你买过{ $times }，所以再次推荐。

repeat_purchase-relational =
    .a = 这件商品你以前买过。
    .b = 你之前买过这件商品。
    .c = 这是你以前买过的商品。
    .d = 你的购买记录里有这件商品。
    .e = 之前你就买过这件商品。
    .f = 又见到你买过的这件商品。

repeat_purchase-relational-many =
    .a = 这件商品你买过{ $times }。
    .b = 你已经买过{ $times }这件商品。
    .c = 在你的购买记录里，这件商品出现过{ $times }。
    .d = 这是你买过{ $times }的商品。
    .e = 你先后买过{ $times }这件商品。
    .f = 之前你就买过{ $times }这件商品。

repeat_purchase-relational-ago =
    .a = 你在{ $elapsed }天前买过这件商品。
    .b = 这件商品你{ $elapsed }天前买过。
    .c = 距离你上次买它已有{ $elapsed }天。
    .d = 来自你{ $elapsed }天前的订单。
    .e = { $elapsed }天前你下单买过它。
    .f = 上一次买它是在{ $elapsed }天前。
    .g = 又见到你{ $elapsed }天前买的商品。
    .h = 上回购买它是{ $elapsed }天前。
    .i = 它在你{ $elapsed }天前的购买记录里。
    .j = 曾在{ $elapsed }天前被你买下。
    .k = 你上次下单买这件是{ $elapsed }天前。
    .l = 买过的商品，上次是{ $elapsed }天前。
    .m = 距今{ $elapsed }天，你曾把它买下。
    .n = { $elapsed }天前入手过的一款。

repeat_purchase-relational-many_ago =
    .a = 你买过{ $times }，上一次是{ $elapsed }天前。
    .b = 这件商品你买过{ $times }，上次是{ $elapsed }天前。
    .c = 距离上次购买已有{ $elapsed }天，你一共买过{ $times }。
    .d = 上次购买是{ $elapsed }天前，前后买过{ $times }。
    .e = { $elapsed }天前你又买了它，一共买过{ $times }。
    .f = 在你的订单里出现过{ $times }，上一次是{ $elapsed }天前。
    .g = 先后下单{ $times }，上次是{ $elapsed }天前。
    .h = 上一次购买是{ $elapsed }天前，你已买过{ $times }。
    .i = { $times }购入，末次距今{ $elapsed }天。

history_item-causal =
    .a = 因为你买过{ $item }。
    .b = 你买过{ $item }，所以推荐这件商品。
    .c = 推荐这件商品，是因为你买过{ $item }。
    .d = 之所以推荐，是因为你买过{ $item }。
    .e = 由于你买过{ $item }，这件商品出现在这里。
    .f = 你买过{ $item }，因此推荐给你。
    .g = 这件商品因你买过{ $item }而入选。
    .h = 推荐理由是你买过{ $item }。
    .i = 你之前买了{ $item }，所以这件商品出现在这里。
    .j = 正因你选购过{ $item }，才有这条推荐。
    .k = { $item }，你买过它，这就是推荐的缘由。
    .l = 缘于你所购的{ $item }。

history_item-causal-unnamed =
    .a = 因为你以前买过的一件商品。
    .b = 推荐这件商品，是因为你之前的一次购买。
    .c = 之所以推荐，是因为你以前买过的一件商品。
    .d = 由于你之前的一次购买，这件商品出现在这里。
    .e = 这件商品因你之前的一次购买而入选。
    .f = 推荐理由是你以前买过的一件商品。

history_item-contributory =
    .a = 参考了你买过的{ $item }。
    .b = 你买过的{ $item }为这件商品加了分。
    .c = 与你买过的{ $item }方向一致。
    .d = 顺着你买过的{ $item }选出。
    .e = 从你买过的{ $item }延伸而来。
    .f = 推荐时参考了你买过的{ $item }。
    .g = 部分依据是你买过的{ $item }。
    .h = 你买过{ $item }，这件商品与它方向一致。
    .i = 这条推荐参考了你买过的{ $item }。
    .j = 这件商品延续了你买过的{ $item }。
    .k = { $item }是你所购，也为此出了一份力。
    .l = 其中有{ $item }的一份影响，那是你的购买。
    .m = 你选购{ $item }时的口味，在此也有体现。

history_item-contributory-unnamed =
    .a = 参考了你之前的一次购买。
    .b = 你以前买过的一件商品为它加了分。
    .c = 与你以前买过的一件商品方向一致。
    .d = 顺着你之前的一次购买选出。
    .e = 从你以前买过的一件商品延伸而来。
    .f = 部分依据是你之前的一次购买。
    .g = 推荐时参考了你之前的一次购买。

history_item-relational =
    .a = 结合你的购买记录推荐，其中有{ $item }。
    .b = 推荐时考虑了你的购买记录，包括{ $item }。
    .c = 考虑到你买过的商品，包括{ $item }。
    .d = 你的购买记录也在考虑之内，包括{ $item }。
    .e = 选出这件商品时，也考虑了你买过的{ $item }。
    .f = 也把你买过的{ $item }考虑在内。

history_item-relational-unnamed =
    .a = 结合你的购买记录推荐。
    .b = 推荐时考虑了你以前买过的商品。
    .c = 考虑到你以前买过的商品。
    .d = 你的购买记录也在考虑之内。
    .e = 选出这件商品时，也考虑了你的购买记录。
    .f = 也把你之前的一次购买考虑在内。

similar_item-relational =
    .a = 和你买过的{ $item }相似。
    .b = 与你买过的{ $item }类似。
    .c = 这件商品和你买过的{ $item }相近。
    .d = 你买过{ $item }，这件商品与它相似。
    .e = 商品描述与你买过的{ $item }相近。
    .f = 它和你买过的{ $item }很接近。
    .g = 你买过的{ $item }与这件商品相似。
    .h = 同你买过的{ $item }属于相近的商品。
    .i = 论描述，与{ $item }几乎一样，后者你已买过。
    .j = { $item }的同类，那件你已买过。
    .k = 看介绍，{ $item }跟它十分相像，前者你已买过。

similar_item-relational-unnamed =
    .a = 和你以前买过的一件商品相似。
    .b = 与你之前买过的一件商品类似。
    .c = 这件商品和你以前买过的一件商品相近。
    .d = 你之前买过与这件商品相似的商品。
    .e = 商品描述与你以前买过的一件商品相近。
    .f = 它和你以前买过的一件商品很接近。

brand-relational =
    .a = 来自{ $value }，这个品牌你买过{ $count }次。
    .b = 你买过{ $count }次{ $value }的商品。
    .c = { $value }是你买过{ $count }次的品牌。
    .d = 你有{ $count }次购买来自{ $value }。
    .e = 又一件{ $value }的商品，这个品牌你买过{ $count }次。
    .f = { $value }在你的购买记录里出现过{ $count }次。
    .g = 这件商品来自你买过{ $count }次的{ $value }。
    .h = 出自{ $value }，你{ $count }次下单的牌子。
    .i = 你的{ $count }次选择都是{ $value }，这款也是。

category-relational =
    .a = 来自{ $value }，这个品类你买过{ $count }次。
    .b = 你有{ $count }次购买属于{ $value }。
    .c = { $value }是你买过{ $count }次的品类。
    .d = 又一件{ $value }类商品，这个品类你买过{ $count }次。
    .e = 同属{ $value }，这个品类你买过{ $count }次。
    .f = { $value }在你的购买记录里出现过{ $count }次。
    .g = 这件商品属于你买过{ $count }次的{ $value }。
    .h = { $value }类你下过{ $count }次单，又添一款。
    .i = 论品类是{ $value }，与你{ $count }次所购相同。

profile-neutral =
    .a = 结合你的个人资料推荐。
    .b = 推荐时参考了你的个人资料。
    .c = 这条推荐参考了你的个人资料。
    .d = 参考你的个人资料选出。
    .e = 你的个人资料为这条推荐提供了参考。
    .f = 选出这件商品时，参考了你的个人资料。

profile-neutral-mentioned =
    .a = 你的个人资料里提到了{ $value }。
    .b = 参考了你的个人资料，其中提到{ $value }。
    .c = 与{ $value }有关，而你的个人资料里正好提到。
    .d = 结合你的个人资料推荐，里面提到了{ $value }。
    .e = 个人资料里有{ $value }，这件商品与之相关。
    .f = 这件商品与{ $value }有关，你的个人资料里提到过。
    .g = 推荐时参考了你的个人资料，其中有{ $value }。
    .h = 资料中提到过{ $value }，推荐时参考了你的个人资料。
    .i = 说到{ $value }，你的个人资料里也有提及。
    .j = 和{ $value }相关，你的个人资料里有提及。

popularity-neutral =
    .a = { $days }天内有{ $count }人买过。
    .b = 有{ $count }人在{ $days }天内买了这件商品。
    .c = 这件商品在{ $days }天内有{ $count }人购买。
    .d = { $count }位顾客在{ $days }天内买过这件商品。
    .e = { $days }天里，{ $count }位顾客买了这件商品。
    .f = 在{ $days }天的时间里，有{ $count }人买过这件商品。
    .g = 这件商品{ $days }天里有{ $count }位顾客买过。
    .h = 共有{ $count }人在{ $days }天内下单购买。

popularity-neutral-tail =
    .a = { $days }天内有{ $count }人买过
    .b = { $count }位顾客在{ $days }天内买过
    .c = 在{ $days }天内有{ $count }人购买
    .d = { $days }天里有{ $count }位顾客买过

brand-relational-tail =
    .a = { $value }这个品牌你也买过{ $count }次
    .b = 又是你买过{ $count }次的{ $value }
    .c = 品牌是你买过{ $count }次的{ $value }

category-relational-tail =
    .a = { $value }这个品类你也买过{ $count }次
    .b = 属于你买过{ $count }次的{ $value }
    .c = 品类是你买过{ $count }次的{ $value }

repeat_interval-relational =
    .a = 这件商品你大约每{ $days }天买一次，上次是{ $elapsed }天前。
    .b = 每隔大约{ $days }天你买一次，上次购买是{ $elapsed }天前。
    .c = 距离上次购买已有{ $elapsed }天，你大约每{ $days }天买一次。
    .d = 上次购买是{ $elapsed }天前，这件商品你大约每{ $days }天买一次。
    .e = 大约每{ $days }天你会买一次，上次是{ $elapsed }天前。
    .f = 你大约每{ $days }天买一次，距离上次购买已有{ $elapsed }天。

history_item-causal-viewed =
    .a = 因为你正在看{ $item }。
    .b = 你正在看{ $item }，所以推荐这件商品。
    .c = 推荐这件商品，是因为你正在看{ $item }。
    .d = 之所以推荐，是因为你正在看{ $item }。
    .e = 由于你正在看{ $item }，这件商品出现在这里。
    .f = 推荐理由是你正在看{ $item }。

history_item-causal-cart =
    .a = 因为你的购物车里有{ $item }。
    .b = 你的购物车里有{ $item }，所以推荐这件商品。
    .c = 推荐这件商品，是因为你的购物车里有{ $item }。
    .d = 之所以推荐，是因为你的购物车里有{ $item }。
    .e = 由于你的购物车里有{ $item }，这件商品出现在这里。
    .f = 推荐理由是你的购物车里有{ $item }。

history_item-contributory-viewed =
    .a = 参考了你正在看的{ $item }。
    .b = 你正在看的{ $item }为这件商品加了分。
    .c = 与你正在看的{ $item }方向一致。
    .d = 顺着你正在看的{ $item }选出。
    .e = 从你正在看的{ $item }延伸而来。
    .f = 部分依据是你正在看的{ $item }。

history_item-contributory-cart =
    .a = 参考了你购物车里的{ $item }。
    .b = 你购物车里的{ $item }为这件商品加了分。
    .c = 与你购物车里的{ $item }方向一致。
    .d = 顺着你购物车里的{ $item }选出。
    .e = 从你购物车里的{ $item }延伸而来。
    .f = 部分依据是你购物车里的{ $item }。

similar_item-relational-viewed =
    .a = 和你正在看的{ $item }相似。
    .b = 与你正在看的{ $item }类似。
    .c = 这件商品和你正在看的{ $item }相近。
    .d = 商品描述与你正在看的{ $item }相近。
    .e = 它和你正在看的{ $item }很接近。
    .f = 你正在看的{ $item }与这件商品相似。

similar_item-relational-cart =
    .a = 和你购物车里的{ $item }相似。
    .b = 与你购物车里的{ $item }类似。
    .c = 这件商品和你购物车里的{ $item }相近。
    .d = 商品描述与你购物车里的{ $item }相近。
    .e = 它和你购物车里的{ $item }很接近。
    .f = 你购物车里的{ $item }与这件商品相似。

co_purchase-relational =
    .a = 和你一样买过{ $item }的{ $people }人中，{ $days }天内有{ $count }人也买了这件商品。
    .b = 你买过{ $item }，{ $days }天内买它的{ $people }人中有{ $count }人也买了这件商品。
    .c = { $days }天内，买过{ $item }的{ $people }人中有{ $count }人也买了这件商品，你也买过它。
    .d = 在{ $days }天内买过{ $item }的{ $people }位顾客里，有{ $count }位也买了这件商品，你也买过它。
    .e = 有{ $count }人也买了这件商品，他们属于{ $days }天内和你一样买过{ $item }的{ $people }人。
    .f = 你买过的{ $item }，{ $days }天内有{ $people }人购买，其中{ $count }人也买了这件商品。
    .g = { $item }的{ $people }位买家中，{ $count }位在{ $days }天内还选购了它，你同样买过前者。
    .h = { $days }天里，{ $count }位顾客既买了你买过的{ $item }，又选了它，前者共有{ $people }位买家。
    .i = 买{ $item }的{ $people }位顾客，{ $days }天内有{ $count }位连它一起入手，你也买过前者。

co_purchase-relational-viewed =
    .a = 买过你正在看的{ $item }的{ $people }人中，{ $days }天内有{ $count }人也买了这件商品。
    .b = 你正在看{ $item }，{ $days }天内买它的{ $people }人中有{ $count }人也买了这件商品。
    .c = 在{ $days }天内买过你正在看的{ $item }的{ $people }位顾客里，有{ $count }位也买了这件商品。
    .d = 有{ $count }人也买了这件商品，他们属于{ $days }天内买过你正在看的{ $item }的{ $people }人。
    .e = { $days }天内买过你正在看的{ $item }的有{ $people }人，其中{ $count }人也买了这件商品。
    .f = 你正在看的{ $item }，{ $days }天内有{ $people }人购买，其中{ $count }人也买了这件商品。

co_purchase-relational-cart =
    .a = 买过你购物车里的{ $item }的{ $people }人中，{ $days }天内有{ $count }人也买了这件商品。
    .b = 你的购物车里有{ $item }，{ $days }天内买它的{ $people }人中有{ $count }人也买了这件商品。
    .c = 在{ $days }天内买过你购物车里的{ $item }的{ $people }位顾客里，有{ $count }位也买了这件商品。
    .d = 有{ $count }人也买了这件商品，他们属于{ $days }天内买过你购物车里的{ $item }的{ $people }人。
    .e = { $days }天内买过你购物车里的{ $item }的有{ $people }人，其中{ $count }人也买了这件商品。
    .f = 你购物车里的{ $item }，{ $days }天内有{ $people }人购买，其中{ $count }人也买了这件商品。

attribute-relational-colour =
    .a = 颜色是{ $value }，你有{ $count }次购买也是这个颜色。
    .b = { $value }是你有{ $count }次购买的颜色，这件商品也是。
    .c = 你有{ $count }次购买是{ $value }的，这件商品也是。
    .d = 这件商品是{ $value }的，这个颜色你买过{ $count }次。
    .e = 又一件{ $value }的商品，这个颜色你买过{ $count }次。
    .f = { $value }的商品，这个颜色你买过{ $count }次。

attribute-relational-material =
    .a = 材质是{ $value }，你有{ $count }次购买也是这种材质。
    .b = { $value }是你有{ $count }次购买的材质，这件商品也是。
    .c = 你有{ $count }次购买的材质是{ $value }，这件商品也是。
    .d = 这件商品的材质是{ $value }，这种材质你买过{ $count }次。
    .e = 又一件{ $value }材质的商品，这种材质你买过{ $count }次。
    .f = 同为{ $value }材质，你买过{ $count }次。

attribute-relational-style =
    .a = 风格是{ $value }，你有{ $count }次购买也是这种风格。
    .b = { $value }是你有{ $count }次购买的风格，这件商品也是。
    .c = 你有{ $count }次购买的风格是{ $value }，这件商品也是。
    .d = 这件商品的风格是{ $value }，这种风格你买过{ $count }次。
    .e = 又一件{ $value }风格的商品，这种风格你买过{ $count }次。
    .f = 同为{ $value }风格，你买过{ $count }次。

attribute-relational-use =
    .a = 用途是{ $value }，你有{ $count }次购买也是这个用途。
    .b = { $value }是你有{ $count }次购买的用途，这件商品也是。
    .c = 你有{ $count }次购买的用途是{ $value }，这件商品也是。
    .d = 这件商品的用途是{ $value }，这个用途你买过{ $count }次。
    .e = 又一件用于{ $value }的商品，这个用途你买过{ $count }次。
    .f = 同样用于{ $value }，你买过{ $count }次。
