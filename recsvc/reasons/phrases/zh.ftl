# 中文句库。The Chinese phrase bank: the best few sentences of policy/lexicon_zh.txt, plain before varied. One message a claim,
# kind-strength-form. Attributes .a .b ... are neutral, the best first; warm_ and concise_ are for those tones. A concise
# sentence must fit 40 columns once it is filled, so its words leave about 8 characters for a name.
# The order is who, what they did, how often, how lately. 您 throughout. Full-width punctuation. $item comes with its quotation
# marks, and so does $value under -mentioned; $times, $ago, $since, $every and $period come with their units.
# The messages that end in -group are lines over several products and have no full stop.

repeat_purchase-relational =
    .a = 您之前买过这件商品。
    .warm_a = 您之前买过这件商品，再来看看吧。
    .warm_b = 这件商品您之前买过，也许还用得上。
    .concise_a = 您之前买过这件商品。
    .concise_b = 您之前买过。

repeat_purchase-relational-many =
    .a = 您买过{ $times }这件商品。
    .b = 这件商品您买过{ $times }。
    .warm_a = 这件商品您已经买过{ $times }，也许又用得上了。
    .warm_b = 您已经买过{ $times }这件商品，再来看看吧。
    .concise_a = 这件商品您买过{ $times }。
    .concise_b = 您买过{ $times }。

repeat_purchase-relational-ago =
    .a = 您{ $ago }买过这件商品。
    .warm_a = 您上次买这件商品是在{ $ago }，也许又用得上了。
    .warm_b = { $ago }您买过这件商品，再来看看吧。
    .concise_a = 您上次购买是在{ $ago }。
    .concise_b = 您上次购买是{ $ago }。

repeat_purchase-relational-many_ago =
    .a = 您买过{ $times }，最近一次是{ $ago }。
    .b = 这件商品您买过{ $times }，最近一次是{ $ago }。
    .warm_a = 这件商品您已经买过{ $times }，上次把它带回家是在{ $ago }。
    .warm_b = 您已经买过{ $times }，最近一次是{ $ago }，也许又用得上了。
    .concise_a = 您买过{ $times }，最近一次是{ $ago }。
    .concise_b = 您买过{ $times }，上次是{ $ago }。

repeat_interval-relational =
    .a = 您通常每{ $every }左右买一次，距上次购买已有{ $since }。
    .warm_a = 您通常每{ $every }左右回购一次，距上次购买已有{ $since }。
    .warm_b = 您通常每{ $every }左右补一次货，距上次购买已有{ $since }。
    .warm_c = 您通常每{ $every }左右买一次，距上次购买已有{ $since }，也许又该买了。
    .concise_a = 您通常每{ $every }左右买一次，已隔{ $since }。

history_item-causal =
    .a = 您买过{ $item }，所以为您推荐这件商品。
    .warm_a = 因为您买过{ $item }，我们为您挑选了这件商品。
    .warm_b = 您买过{ $item }，所以我们为您选了这件商品。
    .warm_c = 您买过{ $item }，所以想请您看看这件商品。
    .concise_a = 因为您买过{ $item }。

history_item-causal-viewed =
    .a = 您看过{ $item }，所以为您推荐这件商品。
    .warm_a = 因为您看过{ $item }，我们为您挑选了这件商品。
    .warm_b = 您刚看过{ $item }，所以想请您看看这件商品。
    .concise_a = 因为您看过{ $item }。

history_item-causal-cart =
    .a = 您的购物车里有{ $item }，所以为您推荐这件商品。
    .warm_a = 因为您的购物车里有{ $item }，我们为您挑选了这件商品。
    .warm_b = 您的购物车里有{ $item }，所以想请您看看这件商品。
    .concise_a = 因为您购物车里有{ $item }。

history_item-contributory =
    .a = 您买过{ $item }，可能也会喜欢这件商品。
    .b = 您买过{ $item }，可能也会对这件商品感兴趣。
    .warm_a = 您买过{ $item }，也看看这件商品吧。
    .warm_b = 您买过{ $item }，这件商品也许合您心意。
    .warm_c = 您买过{ $item }，我们为您挑选了这件商品。
    .concise_a = 您买过{ $item }，为您推荐。

history_item-contributory-viewed =
    .a = 您看过{ $item }，可能也会喜欢这件商品。
    .b = 您看过{ $item }，可能也会对这件商品感兴趣。
    .warm_a = 您刚看过{ $item }，也看看这件商品吧。
    .warm_b = 您看过{ $item }，这件商品也许合您心意。
    .concise_a = 您看过{ $item }，为您推荐。

history_item-contributory-cart =
    .a = 您的购物车里有{ $item }，可能也会喜欢这件商品。
    .b = 您的购物车里有{ $item }，可能也会对这件商品感兴趣。
    .warm_a = 您的购物车里有{ $item }，也看看这件商品吧。
    .warm_b = 您的购物车里有{ $item }，这件商品也许合您心意。
    .concise_a = 您购物车里有{ $item }，为您推荐。

similar_item-relational =
    .a = 这件商品和您买过的{ $item }相似。
    .b = 这件商品与您买过的{ $item }相似。
    .warm_a = 您买过{ $item }，再看看这件相似的商品吧。
    .warm_b = 您买过{ $item }，我们为您找到了这件相似的商品。
    .concise_a = 这件和您买过的{ $item }相似。
    .concise_b = 与您买过的{ $item }相似。

similar_item-relational-viewed =
    .a = 这件商品和您看过的{ $item }相似。
    .b = 这件商品与您看过的{ $item }相似。
    .warm_a = 您刚看过{ $item }，再看看这件相似的商品吧。
    .warm_b = 您刚看过{ $item }，我们为您找到了这件相似的商品。
    .concise_a = 这件和您看过的{ $item }相似。
    .concise_b = 与您看过的{ $item }相似。

similar_item-relational-cart =
    .a = 这件商品和您购物车里的{ $item }相似。
    .b = 这件商品与您购物车里的{ $item }相似。
    .warm_a = 您的购物车里有{ $item }，再看看这件相似的商品吧。
    .warm_b = 您的购物车里有{ $item }，我们为您找到了这件相似的商品。
    .concise_a = 这件和您购物车里的{ $item }相似。
    .concise_b = 与您购物车里的{ $item }相似。

co_purchase-relational =
    .a = 最近{ $period }有{ $people }位顾客买过{ $item }，其中{ $count }位也买了这件商品。
    .b = 最近{ $period }买过{ $item }的{ $people }位顾客中，有{ $count }位也买了这件商品。
    .warm_a = 最近{ $period }买过{ $item }的{ $people }位顾客中，有{ $count }位把这件商品也带回了家。
    .warm_b = 最近{ $period }有{ $people }位顾客买过{ $item }，其中{ $count }位也买了这件商品，您也看看吧。
    .concise_a = 近{ $period }{ $people }人买过{ $item }，{ $count }人也买了这件。
    .concise_b = 近{ $period }{ $people }人买{ $item }，{ $count }人也买这件。

# No concise wording of the two cells below fits 40 columns: the next fact is used.
co_purchase-relational-viewed =
    .a = 您看过的{ $item }，最近{ $period }有{ $people }位顾客买过，其中{ $count }位也买了这件商品。
    .b = 您看过{ $item }，最近{ $period }买它的{ $people }位顾客中，有{ $count }位也买了这件商品。
    .c = 最近{ $period }有{ $people }位顾客买过您看过的{ $item }，其中{ $count }位也买了这件商品。
    .warm_a = 您刚看过的{ $item }，最近{ $period }有{ $people }位顾客买过，其中{ $count }位把这件商品也带回了家。
    .warm_b = 您刚看过{ $item }，最近{ $period }买它的{ $people }位顾客中，有{ $count }位把这件商品也带回了家。

co_purchase-relational-cart =
    .a = 您购物车里的{ $item }，最近{ $period }有{ $people }位顾客买过，其中{ $count }位也买了这件商品。
    .b = 您的购物车里有{ $item }，最近{ $period }买它的{ $people }位顾客中，有{ $count }位也买了这件商品。
    .c = 最近{ $period }有{ $people }位顾客买过您购物车里的{ $item }，其中{ $count }位也买了这件商品。
    .warm_a = 您购物车里的{ $item }，最近{ $period }有{ $people }位顾客买过，其中{ $count }位把这件商品也带回了家。
    .warm_b = 您的购物车里有{ $item }，最近{ $period }买它的{ $people }位顾客中，有{ $count }位把这件商品也带回了家。

brand-relational =
    .a = 您买过{ $times }{ $value }品牌的商品。
    .warm_a = 您已经买过{ $times }{ $value }品牌的商品，再看看这件吧。
    .warm_b = 您是{ $value }的回头客，已经买过{ $times }。
    .warm_c = 您买过{ $times }{ $value }品牌的商品，这件也许合您心意。
    .concise_a = 您买过{ $times }{ $value }的商品。
    .concise_b = { $value }这个品牌您买过{ $times }。

category-relational =
    .a = 您买过{ $times }{ $value }。
    .warm_a = 您已经买过{ $times }{ $value }，再看看这款吧。
    .warm_b = 您买过{ $times }{ $value }，这款也许合您心意。
    .concise_a = 您买过{ $times }{ $value }。
    .concise_b = { $value }您买过{ $times }。

category-relational-department =
    .a = 您买过{ $times }{ $value }类商品。
    .warm_a = 您已经买过{ $times }{ $value }类商品，再看看这件吧。
    .warm_b = 您买过{ $times }{ $value }类商品，这件也许合您心意。
    .concise_a = 您买过{ $times }{ $value }类商品。
    .concise_b = { $value }类商品您买过{ $times }。

attribute-relational-colour =
    .a = 您买过{ $times }{ $value }的商品，这件也是这个颜色。
    .b = { $value }这个颜色您买过{ $times }。
    .c = 您买过{ $times }{ $value }的商品，这件也是。
    .d = 这件商品的颜色是{ $value }，这个颜色您买过{ $times }。
    .warm_a = 您买过{ $times }{ $value }的商品，再看看这件同色的商品吧。
    .warm_b = 您买过{ $times }{ $value }的商品，这件也许合您心意。
    .concise_a = { $value }这个颜色您买过{ $times }。

attribute-relational-material =
    .a = 您买过{ $times }{ $value }材质的商品，这件也是。
    .b = 您买过{ $times }{ $value }材质的商品。
    .c = { $value }材质的商品您买过{ $times }。
    .d = 这件商品的材质是{ $value }，您买过{ $times }这种材质的商品。
    .warm_a = 您买过{ $times }{ $value }材质的商品，再看看这件吧。
    .warm_b = 您买过{ $times }{ $value }材质的商品，这件也许合您心意。
    .concise_a = 您买过{ $times }{ $value }材质的商品。
    .concise_b = { $value }材质的商品您买过{ $times }。

attribute-relational-style =
    .a = 您买过{ $times }{ $value }风格的商品，这件也是。
    .b = 您买过{ $times }{ $value }风格的商品。
    .c = { $value }风格的商品您买过{ $times }。
    .d = 这件商品是{ $value }风格，您买过{ $times }这种风格的商品。
    .warm_a = 您买过{ $times }{ $value }风格的商品，再看看这件吧。
    .warm_b = 您买过{ $times }{ $value }风格的商品，这件也许合您心意。
    .concise_a = 您买过{ $times }{ $value }风格的商品。
    .concise_b = { $value }风格的商品您买过{ $times }。

attribute-relational-use =
    .a = 您买过{ $times }用于{ $value }的商品，这件也是。
    .b = 您买过{ $times }用于{ $value }的商品。
    .c = 用于{ $value }的商品您买过{ $times }。
    .d = 这件商品可用于{ $value }，您买过{ $times }同样用途的商品。
    .warm_a = 您买过{ $times }用于{ $value }的商品，再看看这件吧。
    .warm_b = 您买过{ $times }用于{ $value }的商品，这件也许合您心意。
    .concise_a = 您买过{ $times }用于{ $value }的商品。
    .concise_b = 用于{ $value }的商品您买过{ $times }。

profile-neutral-likes =
    .a = 您喜欢{ $value }，可能会对这件商品感兴趣。
    .b = 您喜欢{ $value }，为您推荐这件商品。
    .warm_a = 您喜欢{ $value }，来看看这件商品吧。
    .warm_b = 您喜欢{ $value }，我们为您挑选了这件商品。
    .warm_c = 您喜欢{ $value }，这件商品也许合您心意。
    .concise_a = 您喜欢{ $value }。

profile-neutral-mentioned =
    .a = 您的资料里提到了{ $value }，您可能会对这件商品感兴趣。
    .warm_a = 您的资料里提到了{ $value }，来看看这件商品吧。
    .warm_b = 您的资料里提到了{ $value }，这件商品也许合您心意。
    .concise_a = 您的资料里提到了{ $value }。
    .concise_b = 您的资料里提到{ $value }。

popularity-neutral =
    .a = 最近{ $period }有{ $count }位顾客买过这件商品。
    .b = 最近{ $period }，{ $count }位顾客买了这件商品。
    .c = 最近{ $period }有{ $count }人买了这件商品。
    .d = { $count }位顾客在最近{ $period }买过这件商品。
    .warm_a = 最近{ $period }，有{ $count }位顾客把这件商品带回了家。
    .warm_b = 最近{ $period }有{ $count }位顾客买过这件商品，您也看看吧。
    .concise_a = 最近{ $period }有{ $count }位顾客买过。
    .concise_b = 最近{ $period }有{ $count }人买过。

history_item-causal-group =
    .a = 因为您买过{ $item }
    .b = 您买过{ $item }，所以为您推荐
    .c = 因为您买过{ $item }，为您推荐这些商品
    .warm_a = 因为您买过{ $item }，我们为您挑选了这些商品
    .warm_b = 因为您买过{ $item }，我们为您选了这几件商品
    .concise_a = 因为您买过{ $item }

history_item-causal-group_viewed =
    .a = 因为您看过{ $item }
    .b = 您看过{ $item }，所以为您推荐
    .c = 因为您看过{ $item }，为您推荐这些商品
    .warm_a = 因为您看过{ $item }，我们为您挑选了这些商品
    .warm_b = 因为您刚看过{ $item }，我们为您选了这几件商品
    .concise_a = 因为您看过{ $item }

history_item-causal-group_cart =
    .a = 因为您的购物车里有{ $item }
    .b = 您的购物车里有{ $item }，所以为您推荐
    .c = 因为您的购物车里有{ $item }，为您推荐这些商品
    .warm_a = 因为您的购物车里有{ $item }，我们为您挑选了这些商品
    .warm_b = 因为您的购物车里有{ $item }，我们为您选了这几件商品
    .concise_a = 因为您购物车里有{ $item }

history_item-contributory-group =
    .a = 您买过{ $item }，为您推荐
    .b = 您买过{ $item }，为您推荐这些商品
    .c = 您买过{ $item }，可能也会对这些商品感兴趣
    .warm_a = 您买过{ $item }，也看看这些商品吧
    .warm_b = 您买过{ $item }，我们为您挑选了这些商品
    .concise_a = 您买过{ $item }，为您推荐

history_item-contributory-group_viewed =
    .a = 您看过{ $item }，为您推荐
    .b = 您看过{ $item }，为您推荐这些商品
    .c = 您看过{ $item }，可能也会对这些商品感兴趣
    .warm_a = 您刚看过{ $item }，也看看这些商品吧
    .warm_b = 您看过{ $item }，我们为您挑选了这些商品
    .concise_a = 您看过{ $item }，为您推荐

history_item-contributory-group_cart =
    .a = 您的购物车里有{ $item }，为您推荐
    .b = 您的购物车里有{ $item }，为您推荐这些商品
    .c = 您的购物车里有{ $item }，这些商品您可能也用得上
    .warm_a = 您的购物车里有{ $item }，也看看这些商品吧
    .warm_b = 您的购物车里有{ $item }，我们为您挑选了这些商品
    .concise_a = 您购物车里有{ $item }，为您推荐

similar_item-relational-group =
    .a = 和您买过的{ $item }相似
    .b = 与您买过的{ $item }类似的商品
    .c = 这些商品和您买过的{ $item }相似
    .warm_a = 您买过{ $item }，再看看这些相似的商品吧
    .warm_b = 您买过{ $item }，我们为您找到了这些相似的商品
    .concise_a = 和您买过的{ $item }相似

similar_item-relational-group_viewed =
    .a = 和您看过的{ $item }相似
    .b = 与您看过的{ $item }类似的商品
    .c = 这些商品和您看过的{ $item }相似
    .warm_a = 您刚看过{ $item }，再看看这些相似的商品吧
    .warm_b = 您看过{ $item }，我们为您找到了这些相似的商品
    .concise_a = 和您看过的{ $item }相似

similar_item-relational-group_cart =
    .a = 和您购物车里的{ $item }相似
    .b = 与您购物车里的{ $item }类似的商品
    .c = 这些商品和您购物车里的{ $item }相似
    .warm_a = 您的购物车里有{ $item }，再看看这些相似的商品吧
    .warm_b = 您的购物车里有{ $item }，我们为您找到了这些相似的商品
    .concise_a = 和您购物车里的{ $item }相似

co_purchase-relational-group =
    .a = 买过{ $item }的顾客也买了
    .b = 买过{ $item }的顾客还买了
    .c = 买过{ $item }的顾客也买了这些商品
    .warm_a = 买过{ $item }的顾客还买了这些商品
    .warm_b = 买过{ $item }的顾客也买了这几件商品
    .concise_a = 买过{ $item }的顾客也买了

co_purchase-relational-group_viewed =
    .a = 买过{ $item }的顾客也买了
    .b = 买过{ $item }的顾客还买了
    .c = 买过{ $item }的顾客也买了这些商品
    .warm_a = 买过{ $item }的顾客还买了这些商品
    .warm_b = 买过{ $item }的顾客也买了这几件商品
    .concise_a = 买过{ $item }的顾客也买了

co_purchase-relational-group_cart =
    .a = 买过{ $item }的顾客也买了
    .b = 买过{ $item }的顾客还买了
    .c = 买过{ $item }的顾客也买了这些商品
    .warm_a = 买过{ $item }的顾客还买了这些商品
    .warm_b = 买过{ $item }的顾客也买了这几件商品
    .concise_a = 买过{ $item }的顾客也买了
